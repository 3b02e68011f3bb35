//! One client's connection to one session: a single task that owns the socket and nothing else.
//! The conversation lives in the session and goes on without it.

mod refusals;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, stream};
use patter_protocol::{
    ClientMessage, CloseCode, ErrorCode, ErrorEvent, LiveEvent, MAX_REFUSED_FRAMES, Pong,
    ServerMessage,
};
use patter_session::{Attachment, Delivery, Frame, Receipt, Refusal, SessionHandle};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tracing::{debug, error};

use crate::metrics::ConnectionMeasures;
use crate::ws::budget::Budget;
use crate::ws::credential::{Credential, News};
use crate::ws::doorbell::Doorbell;
use crate::ws::heartbeat::{Beat, Heartbeat};
use crate::ws::pace::Pace;
use crate::ws::socket::{End, Incoming, Socket};
use crate::ws::spans::Spans;
use refusals::{flood_event, gone_event, parse_error_event};

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
    /// Rung by the session.
    told: Doorbell,
    /// Rung by everybody else.
    doorbell: Doorbell,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    credential: Credential,
    heartbeat: Heartbeat,
    control_budget: Budget,
    message_budget: Budget,
    pace: Pace,
    refused_in_a_row: u32,
    over_budget_in_a_row: u32,
    measures: Arc<ConnectionMeasures>,
    spans: Spans,
    /// Events that are written and not flushed yet.
    unflushed: u64,
    /// When the oldest piece of an answer among them came from the model.
    oldest_piece: Option<Instant>,
}

/// What is joined with a socket.
pub(crate) struct Joining {
    pub(crate) session: SessionHandle,
    pub(crate) attachment: Attachment,
    pub(crate) credential: Credential,
    pub(crate) pace: Pace,
    pub(crate) measures: Arc<ConnectionMeasures>,
    pub(crate) stop: CancellationToken,
    pub(crate) spans: Spans,
}

/// What a connection waits for.
enum Happened {
    Delivery(Option<Delivery>),
    Other(Other),
}

/// What is not from the session.
enum Other {
    Stopped,
    News(News),
    Incoming(Result<Incoming, End>),
    Beat(Beat),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Joins a socket and a session.
    pub(crate) fn new(socket: Socket<S>, joining: Joining) -> Self {
        let Joining {
            session,
            attachment,
            credential,
            pace,
            measures,
            stop,
            spans,
        } = joining;
        let delivered = attachment.begins_after();
        // In a box, for it is handed on with every event.
        let deliveries = stream::unfold(Box::new(attachment), |mut attachment| async {
            Some((attachment.next().await, attachment))
        });
        Self {
            socket,
            session,
            deliveries: deliveries.boxed(),
            delivered,
            told: Doorbell::new(),
            doorbell: Doorbell::new(),
            stopped: Box::pin(stop.cancelled_owned()),
            credential,
            heartbeat: Heartbeat::start(),
            control_budget: Budget::of_control_frames(),
            message_budget: Budget::of_messages(),
            pace,
            refused_in_a_row: 0,
            over_budget_in_a_row: 0,
            measures,
            spans,
            unflushed: 0,
            oldest_piece: None,
        }
    }

    /// Serves the connection until it ends or is stopped, and tells why it ended.
    ///
    /// It and what it seldom does are in boxes: a future has room for all that it may ever do.
    pub(crate) async fn run(mut self: Box<Self>) -> End {
        let Err(end) = self.serve().await;
        let Self {
            socket,
            deliveries,
            spans,
            ..
        } = *self;
        // Nobody reads any more: the session may begin to linger while goodbyes are said.
        drop(deliveries);
        let goodbye = async {
            debug!(?end, "connection ends");
            socket.finish(end).await;
        };
        Box::pin(spans.run(goodbye)).await;
        end
    }

    async fn serve(&mut self) -> Result<Infallible, End> {
        // `session_ready` waits already, and nothing may come before it.
        let ready = self.deliveries.next().await;
        self.on_delivery(ready).await?;
        loop {
            match self.next().await {
                Happened::Delivery(delivery) => self.on_delivery(delivery).await?,
                Happened::Other(other) => {
                    let spans = self.spans.clone();
                    Box::pin(spans.run(self.on_other(other))).await?;
                }
            }
        }
    }

    /// Waits for the next thing to happen.
    ///
    /// Every branch may be dropped while it waits: a half-read message stays in the socket, a half-read page of
    /// the log in the stream of deliveries, and the timers in the heartbeat and the credential. The session comes
    /// last, for it may always have something to say; what the others say at most is limited.
    async fn next(&mut self) -> Happened {
        let others = async {
            tokio::select! {
                () = &mut self.stopped => Other::Stopped,
                news = self.credential.news() => Other::News(news),
                incoming = self.socket.receive() => Other::Incoming(incoming),
                beat = self.heartbeat.next() => Other::Beat(beat),
            }
        };
        tokio::select! {
            biased;
            other = self.doorbell.answer(others) => Happened::Other(other),
            delivery = self.told.answer(self.deliveries.next()) => Happened::Delivery(delivery),
        }
    }

    async fn on_other(&mut self, other: Other) -> Result<(), End> {
        match other {
            Other::Stopped => Err(End::Close(CloseCode::Restart)),
            Other::News(news) => self.on_news(news).await,
            Other::Incoming(incoming) => self.on_incoming(incoming?).await,
            Other::Beat(beat) => self.on_beat(beat).await,
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
        let now = Instant::now();
        self.heartbeat.in_use(now);
        let deadline = Socket::<S>::write_deadline(now);
        self.feed(first, deadline).await?;
        for _ in 1..MAX_BATCH {
            // What is taken is written: nothing is taken that the batch has no room for.
            match self.told.answer(self.deliveries.next()).now_or_never() {
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
                self.heartbeat.in_use(Instant::now());
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
        let deadline = Socket::<S>::write_deadline(Instant::now());
        self.socket.feed(text, deadline).await?;
        self.socket.flush(deadline).await
    }
}

/// The event's bytes, shared with every other reader and not copied.
fn text_of(frame: &Frame) -> Result<Utf8Bytes, End> {
    // Frames are UTF-8; the check costs less than carrying a second type through the session.
    Utf8Bytes::try_from(frame.bytes().clone()).map_err(|_error| End::Close(CloseCode::Internal))
}

#[cfg(test)]
mod tests;
