//! One connection. It tells frames apart by how they begin, and looks into none.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use memchr::memmem;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Tally;
use crate::clock;
use crate::upstream::Ask;

/// Small enough for ten thousand of them, large enough for many tokens at once.
const READ_BUFFER_BYTES: usize = 16 * 1024;

/// How the answer of a provider ends, by which that of a relay ends too.
const RELAYED_END: &[u8] = b"[DONE]\n\n";
// What is kept of a frame, in which a stamp may be cut, is enough for an end that is cut.
const _: () = assert!(RELAYED_END.len() <= clock::STAMP_BYTES);

/// A client whose session is ready.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    messages: u32,
    /// Of what a relay passes on as it comes: the end of the last frame, in which a stamp may be cut.
    rest: Vec<u8>,
}

impl Client {
    /// Connects from this address, until the session is ready. `query` is empty or begins with `?`.
    ///
    /// # Errors
    ///
    /// If the server refuses.
    pub async fn connect(
        server: SocketAddr,
        source: Ipv4Addr,
        session: &str,
        query: &str,
    ) -> anyhow::Result<Self> {
        let tcp = TcpSocket::new_v4()?;
        tcp.bind((source, 0).into())?;
        let stream = tcp.connect(server).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{server}/ws/session/{session}{query}");
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0);
        let (socket, _response) = client_async_with_config(url, stream, Some(config)).await?;
        let mut client = Self {
            socket,
            messages: 0,
            rest: Vec::new(),
        };
        let first = client.frame().await?;
        ensure!(
            memmem::find(first.as_bytes(), br#""session_ready""#).is_some(),
            "the first frame is {first}"
        );
        Ok(client)
    }

    /// Asks for an answer, and gives the time just before.
    ///
    /// # Errors
    ///
    /// If the connection is closed.
    pub async fn ask(&mut self, ask: Ask) -> anyhow::Result<u64> {
        self.messages += 1;
        let message = format!(
            r#"{{"type":"user_message","id":"m-{}","content":"{}"}}"#,
            self.messages,
            ask.to_message()
        );
        let at_ns = clock::now_ns();
        self.socket.send(Message::text(message)).await?;
        Ok(at_ns)
    }

    /// Reads the answer to its end, and counts its tokens. Gives the time when the first of them came.
    ///
    /// # Errors
    ///
    /// If the answer is not whole, or the server says that something went wrong.
    pub async fn answer(&mut self, ask: Ask, tally: &Tally) -> anyhow::Result<u64> {
        let mut first_ns = None;
        let mut tokens = 0;
        let mut count = |bytes: &[u8]| {
            let now_ns = clock::now_ns();
            for age_ns in clock::ages(bytes, now_ns) {
                first_ns.get_or_insert(now_ns);
                tally.token(age_ns);
                tokens += 1;
            }
        };
        loop {
            let frame = self.frame().await?;
            match Kind::of(&frame) {
                Kind::Token => count(frame.as_bytes()),
                Kind::Relayed => {
                    self.rest.extend_from_slice(frame.as_bytes());
                    count(&self.rest);
                    if self.rest.ends_with(RELAYED_END) {
                        self.rest.clear();
                        break;
                    }
                    let whole = self.rest.len().saturating_sub(clock::STAMP_BYTES - 1);
                    self.rest.drain(..whole);
                }
                Kind::Whole => {
                    let kept = clock::ages(frame.as_bytes(), clock::now_ns()).count();
                    ensure!(
                        kept as u64 == u64::from(ask.tokens),
                        "{kept} tokens were kept"
                    );
                    break;
                }
                Kind::Trouble => bail!("the server says {frame}"),
                Kind::Other => {}
            }
        }
        ensure!(
            tokens == ask.tokens,
            "{tokens} tokens came of {}",
            ask.tokens
        );
        tally.answer();
        first_ns.context("the answer has no token")
    }

    /// The next frame of text.
    ///
    /// # Errors
    ///
    /// If the connection ends.
    pub async fn frame(&mut self) -> anyhow::Result<Utf8Bytes> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(frame))) => bail!("the server closes: {frame:?}"),
                // A ping is answered by the socket itself.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => bail!("the server is gone"),
            }
        }
    }

    /// Leaves in good order.
    ///
    /// # Errors
    ///
    /// If the server does not answer the goodbye.
    pub async fn leave(mut self) -> anyhow::Result<()> {
        self.socket.close(None).await?;
        while let Some(Ok(_)) = self.socket.next().await {}
        Ok(())
    }
}

/// What a frame is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One token, or several that were joined.
    Token,
    /// Of a relay, which says nothing of its own: whatever came at once.
    Relayed,
    /// The answer as it is kept: its end.
    Whole,
    Trouble,
    Other,
}

impl Kind {
    fn of(frame: &str) -> Self {
        let has = |what: &str| memmem::find(frame.as_bytes(), what.as_bytes()).is_some();
        if frame.starts_with(r#"{"type":"token""#) {
            Self::Token
        } else if !frame.starts_with(r#"{"type":"#) && !frame.starts_with(r#"{"seq":"#) {
            // It may begin in the middle of an event.
            Self::Relayed
        } else if has(r#""type":"ai_response""#) {
            Self::Whole
        } else if has(r#""type":"error""#) {
            Self::Trouble
        } else {
            Self::Other
        }
    }
}
