//! The answers over a WebSocket, with no server in between.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::{Answer, Ask, Framing};
use crate::floor::READY;

/// Serves a connection until its client is gone.
pub(super) async fn serve(stream: TcpStream) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut socket = accept_async(stream).await?;
    socket.send(Message::text(READY)).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else {
            continue;
        };
        let Some(ask) = Ask::find(&text) else {
            continue;
        };
        let mut answer = Answer::begin(Framing::OpenAi, ask);
        let mut events = Vec::new();
        while answer.next(&mut events).await {
            let frame = Utf8Bytes::try_from(std::mem::take(&mut events))?;
            socket.send(Message::Text(frame)).await?;
        }
    }
    Ok(())
}
