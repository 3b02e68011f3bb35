//! One client's connection to one session: a single task that owns the socket and nothing else.
//! The conversation lives in the session and goes on without it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, stream};
use patter_protocol::{
    ClientMessage, CloseCode, ErrorCode, ErrorEvent, JsonObject, LiveEvent, MAX_REFUSED_FRAMES,
    ParseError, Pong, ServerMessage,
};
use patter_session::{Attachment, Delivery, Frame, Receipt, Refusal, SessionHandle};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crate::metrics::ConnectionMeasures;
use crate::ws::budget::Budget;
use crate::ws::credential::{Credential, News};
use crate::ws::heartbeat::{Beat, Heartbeat};
use crate::ws::pace::Pace;
use crate::ws::socket::{End, Incoming, Socket};

/// So many events are written before the socket is flushed, if they wait already.
const MAX_BATCH: usize = 64;
/// A session answers at once; one that does not in so long is broken.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(15);

/// A client that sends so many messages in a row that are too many does not heed what it is told.
const MAX_OVER_BUDGET: u32 = 100;

/// A connection between its handshake and its end.
pub(crate) struct Connection<S> {
    socket: Socket<S>,
    session: SessionHandle,
    /// What the session tells. A stream and not the attachment itself: it keeps a half-done read
    /// of the log while other branches of the loop run.
    deliveries: BoxStream<'static, Delivery>,
    /// The client has every event of the log up to this one.
    delivered: u64,
    credential: Credential,
    heartbeat: Heartbeat,
    control_budget: Budget,
    message_budget: Budget,
    pace: Pace,
    refused_in_a_row: u32,
    over_budget_in_a_row: u32,
    measures: Arc<ConnectionMeasures>,
    /// Events that are written and not flushed yet.
    unflushed: u64,
    /// When the oldest piece of an answer among them came from the model.
    oldest_piece: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Joins a socket and a session.
    pub(crate) fn new(
        socket: Socket<S>,
        session: SessionHandle,
        attachment: Attachment,
        credential: Credential,
        measures: Arc<ConnectionMeasures>,
        pace: Pace,
    ) -> Self {
        let delivered = attachment.begins_after();
        let deliveries = stream::unfold(attachment, |mut attachment| async {
            Some((attachment.next().await, attachment))
        });
        Self {
            socket,
            session,
            deliveries: deliveries.boxed(),
            delivered,
            credential,
            heartbeat: Heartbeat::start(),
            control_budget: Budget::of_control_frames(),
            message_budget: Budget::of_messages(),
            pace,
            refused_in_a_row: 0,
            over_budget_in_a_row: 0,
            measures,
            unflushed: 0,
            oldest_piece: None,
        }
    }

    /// Serves the connection until it ends or `stop` is cancelled, and tells why it ended.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> End {
        let Err(end) = self.serve(&stop).await;
        debug!(?end, "connection ends");
        // Nobody reads any more: the session may begin to linger while goodbyes are said.
        drop(self.deliveries);
        self.socket.finish(end).await;
        end
    }

    async fn serve(&mut self, stop: &CancellationToken) -> Result<Infallible, End> {
        // `session_ready` waits already, and nothing may come before it.
        let ready = self.deliveries.next().await;
        self.on_delivery(ready).await?;
        loop {
            self.step(stop).await?;
        }
    }

    /// Waits for the next thing to happen and deals with it.
    ///
    /// Every branch may be dropped while it waits: a half-read message stays in the socket, a
    /// half-read page of the log in the stream of deliveries, and the timers in the heartbeat and the credential. What
    /// is written is written in the handlers, which are not dropped.
    async fn step(&mut self, stop: &CancellationToken) -> Result<(), End> {
        tokio::select! {
            () = stop.cancelled() => Err(End::Close(CloseCode::Restart)),
            news = self.credential.news() => self.on_news(news).await,
            incoming = self.socket.receive() => match incoming {
                Ok(incoming) => self.on_incoming(incoming).await,
                Err(end) => Err(end),
            },
            delivery = self.deliveries.next() => self.on_delivery(delivery).await,
            beat = self.heartbeat.next() => self.on_beat(beat).await,
        }
    }

    async fn on_news(&mut self, news: News) -> Result<(), End> {
        match news {
            News::Ended(code) => Err(End::Close(code)),
            News::Renewed => {
                self.refused_in_a_row = 0;
                Ok(())
            }
            News::Refused(event) => self.refuse(event).await,
        }
    }

    async fn on_beat(&mut self, beat: Beat) -> Result<(), End> {
        match beat {
            Beat::Ping => self.socket.ping().await,
            Beat::Nothing => Ok(()),
            Beat::Gone => Err(End::Gone),
            Beat::Idle => Err(End::Close(CloseCode::Idle)),
        }
    }

    /// Writes an event and those that wait behind it, and flushes once.
    async fn on_delivery(&mut self, first: Option<Delivery>) -> Result<(), End> {
        self.heartbeat.in_use();
        let deadline = Socket::<S>::write_deadline();
        self.feed(first, deadline).await?;
        for _ in 1..MAX_BATCH {
            // What is taken is written: nothing is taken that the batch has no room for.
            match self.deliveries.next().now_or_never() {
                Some(delivery) => self.feed(delivery, deadline).await?,
                None => break,
            }
        }
        self.socket.flush(deadline).await?;
        self.measure_flush();
        Ok(())
    }

    /// Counts what has been written. A look at the clock for each time that the kernel was asked, and not for
    /// each event: of those that went out together the oldest is the one that waited longest.
    fn measure_flush(&mut self) {
        self.measures
            .sent
            .inc_by(std::mem::take(&mut self.unflushed));
        if let Some(arrived) = self.oldest_piece.take() {
            let took = arrived.elapsed().as_secs_f64();
            self.measures.delivery.observe(took);
        }
    }

    /// Writes an event into the socket's buffer.
    async fn feed(&mut self, delivery: Option<Delivery>, deadline: Instant) -> Result<(), End> {
        match delivery {
            Some(Delivery::Frame(frame)) => {
                self.socket.feed(text_of(&frame)?, deadline).await?;
                self.delivered = frame.seq().unwrap_or(self.delivered);
                self.unflushed += 1;
                self.oldest_piece = self.oldest_piece.or(frame.arrived());
                Ok(())
            }
            Some(Delivery::Closed(code)) => Err(End::Close(code)),
            None => Err(End::Close(CloseCode::Internal)),
        }
    }

    async fn on_incoming(&mut self, incoming: Incoming) -> Result<(), End> {
        self.heartbeat.heard();
        match incoming {
            Incoming::Text(text) => {
                self.measures.received.inc();
                self.heartbeat.in_use();
                self.on_text(&text).await
            }
            Incoming::Control if self.control_budget.take() => Ok(()),
            Incoming::Control => Err(End::Close(CloseCode::PolicyViolation)),
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), End> {
        if !self.message_budget.take() {
            return self.refuse_flood(flood_event()).await;
        }
        if let Err(event) = self.pace.frame() {
            return self.refuse_flood(event).await;
        }
        self.over_budget_in_a_row = 0;
        let message = match ClientMessage::parse(text) {
            Ok(message) => message,
            Err(error) => return self.refuse(parse_error_event(&error)).await,
        };
        match message {
            ClientMessage::Ping { nonce } => {
                self.refused_in_a_row = 0;
                self.tell(LiveEvent::Pong(Pong { nonce })).await
            }
            ClientMessage::AuthRefresh { token } => {
                self.credential.refresh(token);
                Ok(())
            }
            message => match self.pace.message(&message) {
                Ok(()) => self.submit(message).await,
                Err(event) => self.refuse(event).await,
            },
        }
    }

    async fn submit(&mut self, message: ClientMessage) -> Result<(), End> {
        match timeout(SUBMIT_TIMEOUT, self.session.submit(message)).await {
            Ok(Ok(Receipt::Taken)) => {
                self.refused_in_a_row = 0;
                Ok(())
            }
            Ok(Ok(Receipt::Repeated(frame))) => {
                self.refused_in_a_row = 0;
                // One that the client is still to get comes in its turn: ahead of it, a client that is
                // cut off now would take those in between for delivered.
                if frame.seq().is_some_and(|seq| seq > self.delivered) {
                    return Ok(());
                }
                self.write(text_of(&frame)?).await
            }
            Ok(Err(Refusal::Refused(event))) => self.refuse(event).await,
            Ok(Err(_gone)) => self.refuse(gone_event()).await,
            Err(_elapsed) => {
                error!("a session did not answer its connection");
                Err(End::Close(CloseCode::Internal))
            }
        }
    }

    /// Tells why a frame was refused, and closes when too many in a row were nonsense.
    async fn refuse(&mut self, event: ErrorEvent) -> Result<(), End> {
        self.measures.frame_refused(event.code);
        let malformed = event.code.is_malformed_frame();
        self.refused_in_a_row = if malformed {
            self.refused_in_a_row + 1
        } else {
            0
        };
        self.tell(LiveEvent::Error(event)).await?;
        if self.refused_in_a_row < MAX_REFUSED_FRAMES {
            Ok(())
        } else {
            Err(End::Close(CloseCode::PolicyViolation))
        }
    }

    /// Tells that messages come too fast, and closes when they go on coming.
    async fn refuse_flood(&mut self, event: ErrorEvent) -> Result<(), End> {
        self.measures.frame_refused(ErrorCode::RateLimited);
        self.over_budget_in_a_row += 1;
        if self.over_budget_in_a_row >= MAX_OVER_BUDGET {
            return Err(End::Close(CloseCode::PolicyViolation));
        }
        self.tell(LiveEvent::Error(event)).await
    }

    /// Sends an event to this connection alone.
    async fn tell(&mut self, event: LiveEvent) -> Result<(), End> {
        self.write(ServerMessage::Live(event).to_json().into())
            .await
    }

    async fn write(&mut self, text: Utf8Bytes) -> Result<(), End> {
        let deadline = Socket::<S>::write_deadline();
        self.socket.feed(text, deadline).await?;
        self.socket.flush(deadline).await
    }
}

/// The event's bytes, shared with every other reader and not copied.
fn text_of(frame: &Frame) -> Result<Utf8Bytes, End> {
    // Frames are UTF-8; the check costs less than carrying a second type through the session.
    Utf8Bytes::try_from(frame.bytes().clone()).map_err(|_error| End::Close(CloseCode::Internal))
}

fn parse_error_event(error: &ParseError) -> ErrorEvent {
    let mut details = JsonObject::new();
    if let Some(field) = error.field() {
        details.insert("field".to_owned(), field.into());
    }
    ErrorEvent {
        code: error.code(),
        message: error.to_string(),
        retryable: false,
        message_id: error.message_id().cloned(),
        response_id: None,
        details,
    }
}

/// Messages come faster than anybody needs.
fn flood_event() -> ErrorEvent {
    let mut details = JsonObject::new();
    details.insert("retry_after_ms".to_owned(), 1_000.into());
    ErrorEvent {
        code: ErrorCode::RateLimited,
        message: "too many messages at a time on this connection; the message was not taken"
            .to_owned(),
        retryable: true,
        message_id: None,
        response_id: None,
        details,
    }
}

/// The session ended while the message was on its way; the next connection opens it again.
fn gone_event() -> ErrorEvent {
    ErrorEvent {
        code: ErrorCode::Busy,
        message: "the session is just being closed; connect again and send the message again"
            .to_owned(),
        retryable: true,
        message_id: None,
        response_id: None,
        details: JsonObject::new(),
    }
}

#[cfg(test)]
mod tests;
