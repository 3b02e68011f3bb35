//! HTTP/1.1, as much of it as it takes to play a reply: requests with a `Content-Length`,
//! answers in chunks, connections that are kept open.

#![expect(
    clippy::cast_precision_loss,
    reason = "events of an answer are few enough for a float"
)]

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, sleep, sleep_until};

use super::reply::{Cut, Fault, Reply};
use super::{Ending, RecordedRequest, Shared};

/// Serves requests until the client goes or a reply breaks the connection.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let (reader, mut writer) = stream.into_split();
    let mut incoming = Incoming {
        reader,
        buffer: Vec::new(),
    };
    while let Some(request) = incoming.request().await {
        let (number, reply) = shared.answer(request);
        let ending = tokio::select! {
            played = play(&mut writer, &reply) => match played {
                Ok(true) => Ending::Played,
                Ok(false) => Ending::Broken,
                Err(_) => Ending::ClientLeft,
            },
            () = incoming.end() => Ending::ClientLeft,
        };
        shared.ended(number, ending);
        if ending != Ending::Played {
            return;
        }
    }
}

/// What the client sends; kept until it makes a request.
struct Incoming {
    reader: OwnedReadHalf,
    buffer: Vec<u8>,
}

impl Incoming {
    /// The next request; `None` when the client goes.
    async fn request(&mut self) -> Option<RecordedRequest> {
        let head = loop {
            if let Some(end) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break self.buffer.drain(..end + 4).collect::<Vec<u8>>();
            }
            self.more().await?;
        };
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let path = lines.next()?.split(' ').nth(1)?.to_owned();
        let headers: HeaderMap = lines.filter_map(header).collect();
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.to_str().unwrap().parse().unwrap());
        while self.buffer.len() < length {
            self.more().await?;
        }
        let body: Vec<u8> = self.buffer.drain(..length).collect();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Some(RecordedRequest {
            path,
            headers,
            body,
        })
    }

    /// Waits until the client goes. What it sends meanwhile is kept.
    async fn end(&mut self) {
        while self.more().await.is_some() {}
    }

    async fn more(&mut self) -> Option<()> {
        match self.reader.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(()),
        }
    }
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    Some((name.parse().ok()?, value.trim().parse().ok()?))
}

/// Plays the reply; whether the connection can go on after it.
async fn play(writer: &mut OwnedWriteHalf, reply: &Reply) -> std::io::Result<bool> {
    if reply.silent {
        std::future::pending::<()>().await;
    }
    let mut head = format!(
        "HTTP/1.1 {} Scripted\r\ntransfer-encoding: chunked\r\n",
        reply.status
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    writer.write_all(format!("{head}\r\n").as_bytes()).await?;
    let (before, after) = match &reply.fault {
        Some((bytes, _)) => reply.body.split_at((*bytes).min(reply.body.len())),
        None => (reply.body.as_slice(), [].as_slice()),
    };
    write(writer, before, reply).await?;
    match &reply.fault {
        Some((_, Fault::Break)) => return Ok(false),
        Some((_, Fault::Stall(release))) => release.wait().await,
        None => {}
    }
    write(writer, after, reply).await?;
    writer.write_all(b"0\r\n\r\n").await?;
    Ok(true)
}

async fn write(writer: &mut OwnedWriteHalf, body: &[u8], reply: &Reply) -> std::io::Result<()> {
    if let Cut::Events { per_second } = reply.cut {
        return write_paced(writer, body, per_second).await;
    }
    for piece in pieces(body, &reply.cut) {
        if !reply.delay.is_zero() {
            sleep(reply.delay).await;
        }
        writer.write_all(&chunk(piece)).await?;
    }
    Ok(())
}

/// Writes event by event at a rate. A timer that fires late is made up for: the rate holds.
async fn write_paced(
    writer: &mut OwnedWriteHalf,
    body: &[u8],
    per_second: f64,
) -> std::io::Result<()> {
    let start = Instant::now();
    for (number, event) in events(body).into_iter().enumerate() {
        let due = start + Duration::from_secs_f64(number as f64 / per_second);
        if due > Instant::now() {
            sleep_until(due).await;
        }
        writer.write_all(&chunk(event)).await?;
    }
    Ok(())
}

/// The events of a body whose lines end in LF, each with the blank line behind it.
fn events(mut body: &[u8]) -> Vec<&[u8]> {
    let mut events = Vec::new();
    while !body.is_empty() {
        let end = body.windows(2).position(|bytes| bytes == b"\n\n");
        let (event, rest) = body.split_at(end.map_or(body.len(), |end| end + 2));
        events.push(event);
        body = rest;
    }
    events
}

fn chunk(piece: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

fn pieces<'a>(mut body: &'a [u8], cut: &Cut) -> Vec<&'a [u8]> {
    let sizes: &[usize] = match cut {
        Cut::Sizes(sizes) if !sizes.is_empty() => sizes,
        _ => &[usize::MAX],
    };
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if body.is_empty() {
            break;
        }
        let (piece, rest) = body.split_at((*size).clamp(1, body.len()));
        pieces.push(piece);
        body = rest;
    }
    pieces
}
