//! One WebSocket with the sizes and deadlines of this server: what comes in is sorted, what goes
//! out has a deadline, and closing is done in a way that lets the close code arrive.

#[cfg(feature = "autobahn-echo")]
pub(crate) mod echo;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use patter_protocol::{CloseCode, MAX_FRAME_BYTES};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::frame_guard::{FrameGuard, Violation};

/// A reader that does not take what is written for so long is too slow.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Both sides have so long to say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Each open connection holds it, and the library clears all of it whenever it looks for a message. What people
/// say is mostly shorter; what is longer is read in several pieces.
const READ_BUFFER_BYTES: usize = 1024;
/// So much is gathered, where it comes at once, before it is written. The library keeps the room for it.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
/// Longer events go out in several WebSocket frames (RFC 6455, section 5.4). A frame waits here as a
/// whole while it is written, and the next one is only taken when it is out: so a reader that does
/// not read costs a frame, and not a copy of an event, which can have megabytes.
const FRAGMENT_BYTES: usize = 64 * 1024;
/// More than a frame, what is flushed late, and a pong. It is never reached.
const MAX_WRITE_BUFFER_BYTES: usize = 512 * 1024;

/// A message may come in so many pieces.
const MAX_FRAGMENTS: usize = 64;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The server closes, and says why.
    Close(CloseCode),
    /// The client closed; its close frame is still to be answered.
    ClosedByClient,
    /// Nobody is there any more.
    Gone,
}

/// What a client sent.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message.
    Text(Utf8Bytes),
    /// A ping, which is answered already, or a pong.
    Control,
}

/// One WebSocket.
#[derive(Debug)]
pub(crate) struct Socket<S> {
    stream: WebSocketStream<FrameGuard<S>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Takes over a stream whose handshake is done.
    pub(crate) async fn new(stream: S) -> Self {
        Self {
            stream: watched(stream, MAX_FRAME_BYTES, MAX_FRAGMENTS).await,
        }
    }

    /// The next message.
    ///
    /// # Errors
    ///
    /// Why there is none, and with which code to close.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped: a half-read message stays in the stream.
    pub(crate) async fn receive(&mut self) -> Result<Incoming, End> {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Ok(Incoming::Text(text)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(Incoming::Control),
            Some(Ok(Message::Binary(_))) => Err(End::Close(CloseCode::Unsupported)),
            Some(Ok(Message::Close(_))) => Err(End::ClosedByClient),
            // Raw frames are only ever written.
            Some(Ok(Message::Frame(_))) => Err(End::Close(CloseCode::Internal)),
            Some(Err(error)) => Err(end_of(&error)),
            None => Err(End::Gone),
        }
    }

    /// The point of time by which a batch that is begun at this one must be written.
    pub(crate) fn write_deadline(now: Instant) -> Instant {
        now + WRITE_TIMEOUT
    }

    /// Writes an event, of which the end may stay in the buffer until [`Socket::flush`].
    ///
    /// # Errors
    ///
    /// [`CloseCode::TooSlow`] after the deadline.
    pub(crate) async fn feed(&mut self, text: Utf8Bytes, deadline: Instant) -> Result<(), End> {
        let bytes: &Bytes = text.as_ref();
        let mut opcode = Data::Text;
        let mut begin = 0;
        while begin < text.len() {
            // Between characters: a client may read each frame as text.
            let end = text.floor_char_boundary(begin + FRAGMENT_BYTES);
            let is_last = end == text.len();
            let frame = Frame::message(bytes.slice(begin..end), OpCode::Data(opcode), is_last);
            let fed = self.stream.feed(Message::Frame(frame));
            written(timeout_at(deadline, fed).await)?;
            opcode = Data::Continue;
            begin = end;
        }
        Ok(())
    }

    /// Writes what waits in the buffer.
    ///
    /// # Errors
    ///
    /// [`CloseCode::TooSlow`] after the deadline.
    pub(crate) async fn flush(&mut self, deadline: Instant) -> Result<(), End> {
        written(timeout_at(deadline, self.stream.flush()).await)
    }

    /// Sends a ping.
    ///
    /// # Errors
    ///
    /// [`CloseCode::TooSlow`] after the deadline.
    pub(crate) async fn ping(&mut self) -> Result<(), End> {
        let ping = self.stream.send(Message::Ping(Bytes::new()));
        written(timeout(WRITE_TIMEOUT, ping).await)
    }

    /// Ends the connection, and returns when the client has left or was given long enough to.
    pub(crate) async fn finish(mut self, end: End) {
        let goodbye = async {
            match end {
                End::Close(code) => self.say_goodbye(code).await,
                // Reading on writes the answer to the client's close, which is queued.
                End::ClosedByClient => while let Some(Ok(_)) = self.stream.next().await {},
                End::Gone => {}
            }
        };
        // After the deadline the connection is dropped, with or without goodbye.
        let _in_time = timeout(CLOSE_TIMEOUT, goodbye).await;
    }

    async fn say_goodbye(&mut self, code: CloseCode) {
        self.stream.get_mut().let_pass();
        let frame = CloseFrame {
            code: code.number().into(),
            reason: Utf8Bytes::default(),
        };
        if self.stream.close(Some(frame)).await.is_ok() && !self.is_close_answered().await {
            self.discard_the_rest().await;
        }
    }

    /// Reads until the client answers the close; `false` if no frame can be read any more.
    async fn is_close_answered(&mut self) -> bool {
        while let Some(Ok(message)) = self.stream.next().await {
            if message.is_close() {
                return true;
            }
        }
        false
    }

    /// Throws away what the client had on its way. A socket that is dropped with unread bytes
    /// resets the connection, and the close code would be lost to the client.
    async fn discard_the_rest(&mut self) {
        let stream = self.stream.get_mut();
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await.is_ok_and(|bytes| bytes > 0) {}
    }
}

/// A stream whose handshake is done, with the sizes of this server.
pub(super) async fn watched<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    max_message_bytes: usize,
    max_fragments: usize,
) -> WebSocketStream<FrameGuard<S>> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(max_message_bytes))
        .max_frame_size(Some(max_message_bytes))
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES.max(2 * max_message_bytes));
    let stream = FrameGuard::new(stream, max_fragments);
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await
}

fn written<E>(outcome: Result<Result<(), Error>, E>) -> Result<(), End> {
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(end_of(&error)),
        Err(_elapsed) => Err(End::Close(CloseCode::TooSlow)),
    }
}

fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::Close(CloseCode::TooBig),
        Error::Utf8(_) => End::Close(CloseCode::InvalidPayload),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        Error::Protocol(_) => End::Close(CloseCode::ProtocolError),
        Error::Io(error) => match violation(error) {
            Some(Violation::TooManyFragments) => End::Close(CloseCode::PolicyViolation),
            Some(Violation::TooSlow) => End::Close(CloseCode::Idle),
            None => End::Gone,
        },
        Error::WriteBufferFull(_) => End::Close(CloseCode::Internal),
        _ => End::Gone,
    }
}

fn violation(error: &io::Error) -> Option<Violation> {
    error.get_ref()?.downcast_ref().copied()
}
