//! The offline model, as a session uses it: with tools that are asked for and answered.

use std::time::Duration;

use patter_llm::{
    AssistantMessage, AssistantPart, ChatModel, ChatRequest, Demo, FinishReason, Message,
    ModelEvent, ToolCall, ToolDeclaration, ToolResult,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::Outcome;

fn declared(names: &[&str]) -> Vec<ToolDeclaration> {
    names
        .iter()
        .map(|name| ToolDeclaration {
            name: (*name).into(),
            description: "A tool.".into(),
            parameters: json!({"type": "object"}),
        })
        .collect()
}

fn run(call: &ToolCall) -> Result<Value, String> {
    let argument = |name: &str| {
        call.arguments
            .get(name)
            .and_then(Value::as_str)
            .unwrap()
            .to_owned()
    };
    if call.name == "calculator" {
        return match argument("expression").as_str() {
            "1 / 0" => Err("division by zero".into()),
            "17% of 3450" => Ok(json!({"expression": "E", "result": "586.5", "exact": true})),
            "2 - 5" => Ok(json!({"expression": "E", "result": "-3", "exact": true})),
            expression => Ok(json!({"expression": expression, "result": "R", "exact": true})),
        };
    }
    let query = argument("query");
    Ok(match argument("data_type").as_str() {
        "weather" => json!({"location": query, "temperature_c": 18, "condition": "sunny",
            "humidity_percent": 40, "wind_kmh": 9, "simulated": true, "data_type": "weather"}),
        "stock" => json!({"symbol": query, "price_usd": 20.5, "change_percent": 1.2,
            "volume": 7, "simulated": true, "data_type": "stock"}),
        "time" => {
            let zone = if query == "Tokyo" { "tokyo" } else { "UTC" };
            let (clock, offset) = if query == "Tokyo" {
                ("16:43:17", "+09:00")
            } else {
                ("07:43:17", "+00:00")
            };
            json!({"zone": zone, "query": query, "data_type": "time", "utc_offset": offset,
                "local": format!("2026-11-21T{clock}{offset}"), "weekday": "Saturday"})
        }
        kind => json!({"name": query, "data_type": kind, "query": query, "simulated": true}),
    })
}

/// Asks, runs the tools for as long as the model wants, and gives the calls of each step as
/// texts and the last answer.
async fn converse(request: &mut ChatRequest, question: &str) -> (Vec<Vec<String>>, String) {
    let model = Demo::new().pace(Duration::ZERO);
    request.messages.push(Message::user(question));
    let mut steps = Vec::new();
    for _ in 0..5 {
        let outcome = Outcome::collect(model.stream(request).await.unwrap()).await;
        let mut parts = vec![AssistantPart::Text(outcome.text.clone())];
        parts.extend(outcome.calls.iter().cloned().map(AssistantPart::ToolCall));
        request.messages.push(Message::Assistant(AssistantMessage {
            parts,
            provider_data: None,
        }));
        let (reason, usage, _) = outcome.finish.unwrap();
        assert!(
            usage.input_tokens > Some(0) && usage.output_tokens > Some(0),
            "{usage:?}"
        );
        if outcome.calls.is_empty() {
            assert_eq!(reason, FinishReason::Stop);
            return (steps, outcome.text);
        }
        assert_eq!(reason, FinishReason::ToolCalls);
        steps.push(
            outcome
                .calls
                .iter()
                .map(|call| format!("{} {}", call.name, json!(call.arguments)))
                .collect(),
        );
        let results = outcome.calls.iter().map(|call| ToolResult {
            call_id: call.id.clone(),
            name: call.name.clone(),
            outcome: run(call),
        });
        request
            .messages
            .push(Message::ToolResults(results.collect()));
    }
    panic!("the model never stops calling tools: {steps:?}");
}

fn with_tools() -> ChatRequest {
    ChatRequest::new().tools(declared(&["calculator", "data_fetcher"]))
}

#[tokio::test]
async fn arithmetic_is_given_to_the_calculator() {
    let (steps, answer) = converse(&mut with_tools(), "What is 15% of 240?").await;
    assert_eq!(steps, [[r#"calculator {"expression":"15% of 240"}"#]]);
    assert_eq!(answer, "`15% of 240` = **R**");
    let (steps, _) = converse(&mut with_tools(), "(3+4)*2 and then 10!").await;
    let both = [
        r#"calculator {"expression":"(3 + 4) * 2"}"#,
        r#"calculator {"expression":"10!"}"#,
    ];
    assert_eq!(steps, [both]);
}

#[tokio::test]
async fn independent_lookups_are_made_in_one_step_and_compared_in_a_table() {
    let (steps, answer) =
        converse(&mut with_tools(), "What's the weather in Paris and Rome?").await;
    let both = [
        r#"data_fetcher {"data_type":"weather","query":"Paris"}"#,
        r#"data_fetcher {"data_type":"weather","query":"Rome"}"#,
    ];
    assert_eq!(steps, [both]);
    assert!(answer.contains("| ---") && answer.contains("Paris") && answer.contains("Rome"));
    assert!(answer.contains("simulated"), "{answer}");
}

#[tokio::test]
async fn what_needs_a_result_is_computed_in_a_second_step() {
    for (question, calculation) in [
        ("What is the price of AAPL times 12?", "20.5 * 12"),
        ("What would 12 shares of AAPL cost?", "20.5 * 12"),
        ("The weather in Paris in Fahrenheit, please", "18 °C to °F"),
        (
            "The difference of the prices of AAPL and MSFT",
            "20.5 - 20.5",
        ),
        (
            "3 shares of AAPL and 2 shares of MSFT",
            "20.5 * 3 + 20.5 * 2",
        ),
    ] {
        let (steps, answer) = converse(&mut with_tools(), question).await;
        assert_eq!(steps.len(), 2, "{question}: {steps:?}");
        assert_eq!(
            steps[1],
            [format!("calculator {}", json!({"expression": calculation}))]
        );
        assert!(answer.contains("**R**"), "{answer}");
    }
}

#[tokio::test]
async fn a_calculation_goes_on_from_the_result_before() {
    let calculator =
        |expression: &str| [format!("calculator {}", json!({"expression": expression}))];
    let mut request = with_tools();
    let question = "What is 17% of 3450, and the square root of that?";
    let (steps, answer) = converse(&mut request, question).await;
    assert_eq!(steps, [calculator("17% of 3450"), calculator("sqrt 586.5")]);
    assert!(
        answer.contains("**586.5**") && answer.contains("**R**"),
        "{answer}"
    );
    converse(&mut request, "What is 2 - 5?").await;
    let (steps, _) = converse(&mut request, "And that times 4?").await;
    assert_eq!(steps, [calculator("(-3) * 4")]);
    let (steps, _) = converse(&mut with_tools(), "And that times 4?").await;
    assert!(steps.is_empty(), "{steps:?}");
    let (steps, _) = converse(&mut with_tools(), "1/0 and then times 4?").await;
    assert_eq!(steps, [calculator("1 / 0")]);
}

#[tokio::test]
async fn shares_are_compared_in_a_table() {
    let both = [
        r#"data_fetcher {"data_type":"stock","query":"AAPL"}"#,
        r#"data_fetcher {"data_type":"stock","query":"MSFT"}"#,
    ];
    for question in [
        "Compare the stock prices of AAPL and MSFT",
        "AAPL vs MSFT",
        "how are Apple (AAPL) and MSFT doing",
    ] {
        let (steps, answer) = converse(&mut with_tools(), question).await;
        assert_eq!(steps, [both], "{question}");
        assert!(answer.starts_with("| symbol | price (USD) |"), "{answer}");
        assert!(answer.contains("| AAPL | 20.5 |") && answer.contains("| MSFT | 20.5 |"));
    }
}

#[tokio::test]
async fn a_kind_of_data_is_remembered() {
    let mut request = with_tools();
    for (question, city) in [
        ("What's the weather in Paris?", "Paris"),
        ("And in Rome?", "Rome"),
        ("what about Oslo?", "Oslo"),
    ] {
        let (steps, _) = converse(&mut request, question).await;
        let call = json!({"data_type": "weather", "query": city});
        assert_eq!(steps, [[format!("data_fetcher {call}")]]);
    }
}

#[tokio::test]
async fn a_time_is_told_with_its_zone_or_without_a_place() {
    let (_, answer) = converse(&mut with_tools(), "What time is it in Tokyo?").await;
    assert!(
        answer.starts_with("It is 16:43 on Saturday, 2026-11-21, in **Tokyo** (UTC+09:00)."),
        "{answer}"
    );
    let (_, answer) = converse(&mut with_tools(), "What time is it in Atlantis?").await;
    assert!(
        answer.starts_with("I do not know the zone of **Atlantis**. In UTC it is 07:43"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_long_list_is_not_done_all_at_once() {
    let cities: Vec<String> = (0..5000).map(|n| format!("City{n}")).collect();
    let question = format!("The weather in {}", cities.join(", "));
    let (steps, _) = converse(&mut with_tools(), &question).await;
    assert_eq!((steps.len(), steps[0].len()), (1, 8));
}

#[tokio::test]
async fn a_tool_that_fails_or_is_not_there_is_told_plainly() {
    let (_, answer) = converse(&mut with_tools(), "What is 1/0?").await;
    assert_eq!(
        answer,
        "The tool `calculator` did not manage: division by zero"
    );
    let mut without = ChatRequest::new();
    let (steps, answer) = converse(&mut without, "What is 2+2?").await;
    assert!(
        steps.is_empty() && answer.contains("`calculator`"),
        "{answer}"
    );
}

#[tokio::test]
async fn it_says_what_it_is_and_what_was_said_before() {
    let mut request = with_tools();
    let (_, hello) = converse(&mut request, "Hello!").await;
    assert!(
        hello.contains("demo model") && hello.contains("not a language model"),
        "{hello}"
    );
    converse(&mut request, "My name is Ada.").await;
    let (_, answer) = converse(&mut request, "What is my name?").await;
    assert_eq!(answer, "Your name is **Ada**.");
    let (_, answer) = converse(&mut request, "What did I ask?").await;
    assert!(
        answer.contains("3 things") && answer.contains("My name is Ada."),
        "{answer}"
    );
    let (_, answer) = converse(&mut request, "Purple monkeys?").await;
    assert!(
        answer.contains("Purple monkeys?") && answer.contains("no rule"),
        "{answer}"
    );
    let (_, code) = converse(&mut request, "Show me some code").await;
    assert!(
        code.contains("```rust\n") && code.contains("\n```"),
        "{code}"
    );
}

async fn summary(transcript: &str) -> String {
    let request = ChatRequest::new()
        .system("Summarize the conversation in 100 words.")
        .user(transcript);
    let model = Demo::new().pace(Duration::ZERO);
    let answer = model.stream(&request).await.unwrap();
    Outcome::collect(answer).await.text
}

#[tokio::test]
async fn a_transcript_is_summarized() {
    let transcript = "user: What's the weather in Paris?\n\
        tool data_fetcher: {\"temperature_c\": 18}\n\
        assistant: Let me look that up.\n\nIn **Paris** it is sunny.\nAnd warm.\n\
        user: And the weather in Rome?\n\
        tool data_fetcher: {}\n\
        tool data_fetcher: failed: no\n\
        assistant: Let me do 2 things at once.\n\n| a |\n| - |\n\n**Rome** too.\n\n_Simulated._";
    let expected = "The person wrote 2 messages and got 2 answers. Topics: weather, paris, rome. \
        Tools used: data_fetcher (3 results). It began with “What's the weather in Paris?”. \
        The last question was “And the weather in Rome?”, answered with “Rome too.”.";
    assert_eq!(summary(transcript).await, expected);
    let unanswered = format!("{transcript}\nuser: Hm?");
    let expected = "3 messages and got 2 answers.";
    let text = summary(&unanswered).await;
    assert!(text.contains(expected), "{text}");
    assert!(text.ends_with("“Hm?”, which got no answer."), "{text}");
    let once = summary("user: One?\nassistant: Yes.\nassistant: It is.").await;
    assert_eq!(
        once,
        "The person wrote 1 message and got 1 answer. Topics: one. \
         The last question was “One?”, answered with “Yes. It is.”."
    );
    let text = summary("It rained. More.\n\nThen sun. More.").await;
    assert_eq!(text, "It rained. Then sun.");
}

#[tokio::test]
async fn summaries_of_parts_become_one_with_the_right_numbers() {
    let parts = [
        "user: Is Paris warm?\ntool data_fetcher: 1\nassistant: Yes.\nuser: Is Rome?",
        "tool data_fetcher: 2\nassistant: Rome too.",
        "user: What is 2+2?\ntool calculator: 4\nassistant: 4.",
    ];
    let mut lines = Vec::new();
    for part in parts {
        lines.push(format!("part: {}", summary(part).await));
    }
    let expected = "The person wrote 3 messages and got 3 answers. Topics: paris, warm, rome. \
        Tools used: calculator (1 result), data_fetcher (2 results). It began with \
        “Is Paris warm?”. The last question was “What is 2+2?”, answered with “4.”.";
    assert_eq!(summary(&lines.join("\n")).await, expected);
}

#[tokio::test]
async fn it_can_sum_up_in_the_conversation_itself() {
    let mut request = with_tools();
    converse(&mut request, "What's the weather in Paris and Rome?").await;
    let (_, answer) = converse(&mut request, "Summarize our conversation").await;
    assert!(
        answer.starts_with("The person wrote 1 message and got 1 answer."),
        "{answer}"
    );
}

#[tokio::test]
async fn nobody_having_said_anything_is_no_reason_to_fail() {
    let model = Demo::new().pace(Duration::ZERO);
    for request in [
        ChatRequest::new(),
        ChatRequest::new().user(""),
        ChatRequest::new().user("\0 ( %"),
    ] {
        let outcome = Outcome::collect(model.stream(&request).await.unwrap()).await;
        assert!(!outcome.text.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn words_come_one_by_one_at_the_pace_that_was_set() {
    let model = Demo::new().pace(Duration::from_millis(100));
    let begin = Instant::now();
    let mut answer = model
        .stream(&ChatRequest::new().user("thanks"))
        .await
        .unwrap();
    let mut words = Vec::new();
    while let Some(Ok(ModelEvent::Text(word))) = answer.next().await {
        words.push(word);
    }
    assert_eq!(words, ["You ", "are ", "welcome."]);
    assert_eq!(begin.elapsed(), Duration::from_millis(300));
}
