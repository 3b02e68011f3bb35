//! A conversation in a terminal, offline: the demo model, a calculator, and a SQLite file.
//!
//! ```sh
//! cargo run -p patter-session --example terminal
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::io::Write;
use std::time::Duration;

use patter_llm::Demo;
use patter_protocol::{ClientMessage, EventBody, LiveEvent, ServerMessage, SessionId};
use patter_session::{After, Attachment, Delivery, OpenOptions, SessionHandle, SessionManager};
use patter_store::SqliteStore;
use patter_tools::{Calculator, DataFetcher, ToolRegistry};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let path = std::env::temp_dir().join("patter-terminal.db");
    let tools = ToolRegistry::new()
        .with(Calculator::default())?
        .with(DataFetcher::default())?;
    let sessions = SessionManager::builder(SqliteStore::open(&path).await?, Demo::new())
        .tools(tools)
        .start();
    let session = sessions
        .open(SessionId::generate(), OpenOptions::default())
        .await?;
    let mut events = session.attach(After::Start).await?;

    println!(
        "Say something; an empty line ends the conversation. It is kept in {}.",
        path.display()
    );
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines
        .next_line()
        .await?
        .filter(|line| !line.trim().is_empty())
    {
        session.say(line).await?;
        print_answer(&mut events).await?;
    }
    end(&session, &mut events).await?;
    sessions.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

/// Prints what happens until the answer is stored.
async fn print_answer(events: &mut Attachment) -> anyhow::Result<()> {
    while let Delivery::Frame(frame) = events.next().await {
        match frame.message()? {
            ServerMessage::Live(LiveEvent::Token(token)) => {
                print!("{}", token.content);
                std::io::stdout().flush()?;
            }
            ServerMessage::Live(LiveEvent::Error(error)) => println!("[{}]", error.message),
            ServerMessage::Durable(event) => match event.body {
                EventBody::ToolCall(call) => {
                    println!(
                        "[{} {}]",
                        call.name,
                        serde_json::to_string(&call.arguments)?
                    );
                }
                EventBody::AiResponse(_) => {
                    println!();
                    return Ok(());
                }
                _ => {}
            },
            ServerMessage::Live(_) => {}
        }
    }
    Ok(())
}

async fn end(session: &SessionHandle, events: &mut Attachment) -> anyhow::Result<()> {
    session.submit(ClientMessage::End).await?;
    while let Delivery::Frame(frame) = events.next().await {
        if let ServerMessage::Durable(event) = frame.message()?
            && let EventBody::SessionEnded(ended) = event.body
        {
            println!(
                "{}",
                ended.summary.unwrap_or_else(|| "No summary.".to_owned())
            );
        }
    }
    Ok(())
}
