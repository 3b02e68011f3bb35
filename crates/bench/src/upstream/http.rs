//! As much of HTTP/1.1 as a client that asks a provider needs: requests with a `Content-Length`, one after
//! the other, each answered by a chunked event stream.

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, Ask, Framing};

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const END: &[u8] = b"0\r\n\r\n";
/// A request is never longer.
const MAX_REQUEST_BYTES: usize = 16 << 20;

/// Answers the requests of a connection until its client is gone.
pub(super) async fn serve(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Vec::new();
    let mut events = Vec::new();
    let mut output = Vec::new();
    while let Some((framing, ask)) = request(&mut stream, &mut input).await? {
        output.clear();
        output.extend_from_slice(HEAD);
        let mut answer = Answer::begin(framing, ask);
        while answer.next(&mut events).await {
            output.extend_from_slice(format!("{:x}\r\n", events.len()).as_bytes());
            output.extend_from_slice(&events);
            output.extend_from_slice(b"\r\n");
            stream.write_all(&output).await?;
            events.clear();
            output.clear();
        }
        stream.write_all(END).await?;
    }
    Ok(())
}

/// The next request; `None` when the client is gone. What came behind it stays in `input`.
async fn request(
    stream: &mut TcpStream,
    input: &mut Vec<u8>,
) -> anyhow::Result<Option<(Framing, Ask)>> {
    let head_end = loop {
        if let Some(at) = memchr::memmem::find(input, b"\r\n\r\n") {
            break at + 4;
        }
        ensure!(input.len() < MAX_REQUEST_BYTES, "the request has no end");
        if stream.read_buf(input).await? == 0 {
            return Ok(None);
        }
    };
    let head = std::str::from_utf8(input.get(..head_end).unwrap_or_default())?;
    let framing = if head.contains(":streamGenerateContent") {
        Framing::Gemini
    } else if head.contains("/chat/completions") {
        Framing::OpenAi
    } else {
        bail!("nobody is here for {head}");
    };
    let body_bytes: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("the request has no length")?
        .1
        .trim()
        .parse()?;
    ensure!(body_bytes < MAX_REQUEST_BYTES, "the request is too long");
    let end = head_end + body_bytes;
    while input.len() < end {
        ensure!(stream.read_buf(input).await? > 0, "the request is cut");
    }
    let body = std::str::from_utf8(input.get(head_end..end).unwrap_or_default())?;
    let ask = Ask::find(body).context("the request asks for nothing")?;
    input.drain(..end);
    Ok(Some((framing, ask)))
}
