//! The path of a token by itself, for `cargo xtask bench --check` to count its instructions: the bytes of
//! a provider's answer through HTTP, event stream and JSON, through a session and its reader, to the bytes
//! of WebSocket frames. The provider writes a token when the one before it has come through, so that each goes
//! alone, as in `steady`, and every run takes the same way.
//!
//! `token_path openai 1000` does it for an answer of so many tokens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, bail, ensure};
use futures_util::SinkExt;
use patter_bench::upstream::Framing;
use patter_llm::{ChatModel, Gemini, OpenAi, Settings};
use patter_protocol::SessionId;
use patter_session::{After, Delivery, OpenOptions, SessionManager};
use patter_testkit::memory_store::MemoryStore;
use tokio::io::{empty, join, sink};
use tokio::runtime::Builder;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// The end of the connection is the end of the answer.
const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let framing = match arguments.next().as_deref() {
        Some("openai") => Framing::OpenAi,
        Some("gemini") => Framing::Gemini,
        _ => bail!("whose answer: openai or gemini?"),
    };
    let tokens = arguments.next().context("how many tokens?")?.parse()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(relay(framing, tokens))
}

async fn relay(framing: Framing, tokens: u32) -> anyhow::Result<()> {
    let (came_through, next) = sync_channel(1);
    let url = format!("http://{}", serve(framing, tokens, next)?);
    let settings = Settings::new("bench").base_url(url);
    let model: Arc<dyn ChatModel> = match framing {
        Framing::OpenAi => Arc::new(OpenAi::new(settings)?),
        Framing::Gemini => Arc::new(Gemini::new(settings)?),
    };
    let sessions = SessionManager::builder(MemoryStore::default(), model).start();
    let session = sessions
        .open(SessionId::generate(), OpenOptions::default())
        .await?;
    let mut events = session.attach(After::Start).await?;
    let nowhere = join(empty(), sink());
    let mut socket = WebSocketStream::from_raw_socket(nowhere, Role::Server, None).await;
    session.say("Well?").await?;
    let mut told = 0;
    while let Delivery::Frame(frame) = events.next().await {
        let is_token = frame.as_str().starts_with(r#"{"type":"token""#);
        let is_over = frame.as_str().contains(r#""type":"ai_response""#);
        let text = Utf8Bytes::try_from(frame.bytes().clone())?;
        socket.send(Message::Text(text)).await?;
        if is_token {
            told += 1;
            came_through.send(())?;
        }
        if is_over {
            ensure!(told == tokens, "{told} of {tokens} tokens were told");
            return Ok(());
        }
    }
    bail!("the session ends without an answer")
}

/// A provider for one who asks once.
fn serve(framing: Framing, tokens: u32, next: Receiver<()>) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        read_request(&stream)?;
        stream.write_all(HEAD)?;
        let mut event = Vec::new();
        for _ in 0..tokens {
            framing.token(0, &mut event);
            stream.write_all(&event)?;
            event.clear();
            next.recv()?;
        }
        framing.end(&mut event);
        stream.write_all(&event)?;
        anyhow::Ok(())
    });
    Ok(address)
}

/// To its end: what is left unread would break the answer off.
fn read_request(stream: &TcpStream) -> anyhow::Result<()> {
    let mut request = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    request.read_exact(&mut vec![0; length])?;
    Ok(())
}
