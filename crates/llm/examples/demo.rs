//! A question, the tool calls that it needs, and the answer, streamed to the terminal. Offline.
//!
//! `cargo run -p patter-llm --example demo -- "weather in Paris and Rome"`

use std::io::Write;

use patter_llm::{
    AssistantMessage, AssistantPart, ChatModel, ChatRequest, Demo, ModelEvent, ToolCall,
    ToolDeclaration, ToolResult,
};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let question = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "What is the price of AAPL times 12?".to_owned());
    let model = Demo::new();
    let mut request = ChatRequest::new().user(&question).tools(tools());
    let mut terminal = std::io::stdout();
    writeln!(terminal, "> {question}\n")?;
    loop {
        let mut step = AssistantMessage::default();
        let mut answer = model.stream(&request).await?;
        while let Some(event) = answer.next().await {
            match event? {
                ModelEvent::Text(piece) => {
                    write!(terminal, "{piece}")?;
                    terminal.flush()?;
                    step.parts.push(AssistantPart::Text(piece));
                }
                ModelEvent::ToolCall(call) => {
                    writeln!(terminal, "\n  [{} {}]", call.name, json!(call.arguments))?;
                    step.parts.push(AssistantPart::ToolCall(call));
                }
                ModelEvent::Reasoning(_) => {}
                ModelEvent::Restarted { provider, .. } => {
                    writeln!(terminal, "\n[{provider} begins afresh]")?;
                    step = AssistantMessage::default();
                }
                ModelEvent::Finish { provider_data, .. } => step.provider_data = provider_data,
            }
        }
        writeln!(terminal)?;
        let results: Vec<ToolResult> = step.tool_calls().map(run).collect();
        if results.is_empty() {
            return Ok(());
        }
        request = request.assistant(step).tool_results(results);
    }
}

fn tools() -> [ToolDeclaration; 2] {
    let declare = |name: &str, description: &str, arguments: Value| ToolDeclaration {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters: json!({"type": "object", "properties": arguments}),
    };
    let text = json!({"type": "string"});
    [
        declare("calculator", "Computes.", json!({"expression": text})),
        declare(
            "data_fetcher",
            "Looks up.",
            json!({"data_type": text, "query": text}),
        ),
    ]
}

/// Stands in for real tools.
fn run(call: &ToolCall) -> ToolResult {
    let argument = |name: &str| call.arguments.get(name).cloned().unwrap_or_default();
    let outcome = match call.name.as_str() {
        "data_fetcher" => Ok(json!({
            "data_type": argument("data_type"),
            "query": argument("query"),
            "symbol": argument("query"),
            "location": argument("query"),
            "price_usd": 20.5,
            "change_percent": 1.2,
            "temperature_c": 18,
            "condition": "sunny",
            "humidity_percent": 40,
            "wind_kmh": 9,
            "simulated": true,
        })),
        "calculator" if argument("expression") == "20.5 * 12" => {
            Ok(json!({"expression": "20.5 * 12", "result": "246", "exact": true}))
        }
        name => Err(format!("this example has no {name} that could do that")),
    };
    ToolResult {
        call_id: call.id.clone(),
        name: call.name.clone(),
        outcome,
    }
}
