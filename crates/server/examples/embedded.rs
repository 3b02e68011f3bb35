//! The whole server in somebody else's `main`, with a tool of its own and the demo model: needs no
//! key and no network. Prints one conversation, and stops.

use std::io::{self, Write};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use patter_server::config::Sources;
use patter_server::{Config, Server, Shutdown};
use patter_tools::tool;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// Arguments of the tool.
#[derive(Debug, Deserialize, JsonSchema)]
struct Order {
    /// Number of the order.
    number: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("chat.db");
    let sources = Sources::none().set("llm.provider", "demo").set(
        "store.url",
        file.to_str()
            .context("the temporary folder has no readable name")?,
    );

    let delivery = tool(
        "delivery",
        "When an order will arrive",
        |order: Order, _context| async move {
            Ok(json!({ "number": order.number, "arrives": "tomorrow" }))
        },
    );
    let server = Server::from_config(Config::load(&sources)?)
        .await?
        .tool(delivery);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let shutdown = Shutdown::default();
    let talked = async {
        let outcome = talk(&format!("ws://{address}/ws/session/example")).await;
        shutdown.drain();
        outcome
    };
    let (stopped, talked) = tokio::join!(server.run(listener, shutdown.clone()), talked);
    stopped?;
    talked
}

/// Asks one question, and prints what comes.
async fn talk(url: &str) -> anyhow::Result<()> {
    let (mut socket, _response) = connect_async(url).await?;
    let question = json!({ "type": "user_message", "content": "What is 15% of 240?" });
    socket.send(Message::text(question.to_string())).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else {
            continue;
        };
        let event: Value = serde_json::from_str(&text)?;
        let kind = event
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        writeln!(io::stdout(), "{kind}")?;
        if kind == "ai_response" {
            break;
        }
    }
    Ok(socket.close(None).await?)
}
