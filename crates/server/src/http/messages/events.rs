//! The events of a session as an event stream
//! ([Server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)): each event is one
//! `data:` line with the JSON that a WebSocket would carry, and `id:` is its `seq` where it has one.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, stream};
use patter_protocol::{CloseCode, EventBody, MessageId, ServerMessage};
use patter_session::{Attachment, Delivery, Frame};
use tokio::time::timeout;

use crate::auth::Validity;
use crate::limits::Place;

/// A stream that is silent for so long says that it is still there, before anything in between gives it up.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A comment, which readers pass over.
const STILL_HERE: Bytes = Bytes::from_static(b": still here\n\n");

/// The session told its readers to come back, with this close code.
#[derive(Debug, thiserror::Error)]
#[error("the session sent its readers away with {0}")]
pub(super) struct BrokenOff(u16);

/// Who reads the events of a message, until it is answered or the session ends.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) attachment: Attachment,
    pub(super) message_id: MessageId,
    /// The client has the answer already: then only what comes at once is told.
    pub(super) is_answered: bool,
    /// Whoever is no longer believed to be who they are is told no more.
    pub(super) validity: Validity,
    /// Of those that the caller may hold.
    pub(super) _place: Option<Place>,
}

impl Reader {
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, BrokenOff>> + Send {
        stream::unfold(Some(self), async |reader| reader?.next().await)
    }

    /// The next piece, and who reads on.
    async fn next(mut self) -> Option<(Result<Bytes, BrokenOff>, Option<Self>)> {
        // Nothing is lost when either is dropped.
        let next = async {
            tokio::select! {
                delivery = self.attachment.next() => delivery,
                code = self.validity.ended() => Delivery::Closed(code),
            }
        };
        let Ok(delivery) = timeout(KEEP_ALIVE, next).await else {
            return Some((Ok(STILL_HERE), Some(self)));
        };
        let frame = match delivery {
            Delivery::Frame(frame) => frame,
            Delivery::Closed(CloseCode::Normal) => return None,
            // An end that is none: the body breaks off, so that nobody takes it for one.
            Delivery::Closed(code) => return Some((Err(BrokenOff(code.number())), None)),
        };
        let is_last = self.is_answered || answers(&frame, &self.message_id);
        Some((Ok(event(&frame)), (!is_last).then_some(self)))
    }
}

/// Whether this is the end of the answer to the message. Only events of the log are looked into.
pub(super) fn answers(frame: &Frame, message_id: &MessageId) -> bool {
    frame.seq().is_some()
        && matches!(
            frame.message(),
            Ok(ServerMessage::Durable(event)) if is_answer_to(&event.body, message_id)
        )
}

/// Whether the event is an answer to the message.
pub(super) fn is_answer_to(body: &EventBody, message_id: &MessageId) -> bool {
    matches!(body, EventBody::AiResponse(answer) if answer.message_id == *message_id)
}

/// The lines of an event. Its JSON has no line break in it.
fn event(frame: &Frame) -> Bytes {
    const AROUND: usize = "id: 18446744073709551615\ndata: \n\n".len();
    let mut lines = BytesMut::with_capacity(AROUND + frame.bytes().len());
    if let Some(seq) = frame.seq() {
        lines.put_slice(b"id: ");
        lines.put_slice(seq.to_string().as_bytes());
        lines.put_u8(b'\n');
    }
    lines.put_slice(b"data: ");
    lines.put_slice(frame.bytes());
    lines.put_slice(b"\n\n");
    lines.freeze()
}
