//! Defines a tool, puts it beside those that come with the crate, and calls all three.
//! Needs no network: `cargo run -p patter-tools --example tools`.
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::time::Duration;

use patter_tools::{Calculator, DataFetcher, ToolContext, ToolRegistry, tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

#[derive(Deserialize, JsonSchema)]
struct Greeting {
    /// Whom to greet.
    name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let greet = tool(
        "greet",
        "Greets a person",
        |arguments: Greeting, _context| async move {
            Ok(json!({ "greeting": format!("Hello, {}!", arguments.name) }))
        },
    );
    let tools = ToolRegistry::new()
        .with(greet)?
        .with(Calculator::default())?
        .with(DataFetcher::default())?;
    for spec in tools.specs() {
        println!("{}: {}", spec.name, spec.parameters);
    }

    let calls = [
        ("greet", r#"{ "name": "Ada" }"#),
        ("greet", r#"{ "nome": "Ada" }"#),
        ("calculator", r#"{ "expression": "10! / 3 + 15% of 240" }"#),
        ("calculator", r#"{ "expression": "9^9^9" }"#),
        (
            "data_fetcher",
            r#"{ "data_type": "weather", "query": "Lisbon" }"#,
        ),
    ];
    for (name, arguments) in calls {
        let context = ToolContext::new("example", "call", Instant::now() + Duration::from_secs(5));
        match tools
            .call(name, serde_json::from_str(arguments)?, context)
            .await
        {
            Ok(result) => println!("{name} {arguments}\n  -> {result}"),
            Err(error) => println!("{name} {arguments}\n  -> {:?}: {error}", error.kind()),
        }
    }
    Ok(())
}
