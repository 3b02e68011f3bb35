//! What the floor does not: the events of the provider are read, and told as events of one's own. An answer is
//! made by another task than the one that writes to the socket, as it is where an answer may go on without its
//! reader. That is the least that a server does which has a protocol; it stores nothing and counts nothing.

use std::borrow::Cow;

use anyhow::Context;
use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use memchr::memmem;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

const END_OF_EVENT: &[u8] = b"\n\n";

/// An event of the provider, as far as it matters.
#[derive(Debug, Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Debug, Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    Token { index: u32, content: &'a str },
    AiResponse { content: &'a str },
}

/// Tells the answer token by token, and whole at its end. Ends early when nobody takes the frames.
///
/// # Errors
///
/// If the answer breaks off, or is none.
pub(super) async fn translate(
    mut body: Incoming,
    frames: mpsc::Sender<Utf8Bytes>,
) -> anyhow::Result<()> {
    let mut unread = BytesMut::new();
    let mut answer = String::new();
    let mut index = 0;
    loop {
        while let Some(end) = memmem::find(&unread, END_OF_EVENT) {
            let event = unread.split_to(end);
            unread.advance(END_OF_EVENT.len());
            let event = event.strip_prefix(b"data: ").context("not an event")?;
            if event == b"[DONE]" {
                tell(&frames, &Event::AiResponse { content: &answer }).await?;
                // A body that was read to its end leaves a connection that can be used again.
                while body.frame().await.transpose()?.is_some() {}
                return Ok(());
            }
            let chunk: Chunk<'_> = serde_json::from_slice(event)?;
            let choice = chunk.choices.first();
            let Some(content) = choice.and_then(|choice| choice.delta.content.as_deref()) else {
                continue;
            };
            tell(&frames, &Event::Token { index, content }).await?;
            answer.push_str(content);
            index += 1;
        }
        let frame = body.frame().await.context("the answer has no end")??;
        if let Ok(bytes) = frame.into_data() {
            unread.extend_from_slice(&bytes);
        }
    }
}

async fn tell(frames: &mpsc::Sender<Utf8Bytes>, event: &Event<'_>) -> anyhow::Result<()> {
    Ok(frames.send(serde_json::to_string(event)?.into()).await?)
}
