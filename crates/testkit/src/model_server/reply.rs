//! One answer of the server: what it says, and how it misbehaves on the way.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

/// A reply to one request.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) cut: Cut,
    pub(super) delay: Duration,
    pub(super) silent: bool,
    pub(super) fault: Option<(usize, Fault)>,
}

/// How the body is cut into writes; each write is a chunk of its own.
#[derive(Debug, Clone)]
pub(super) enum Cut {
    Whole,
    /// Sizes that are used in turn.
    Sizes(Vec<usize>),
    /// Event by event, so many in a second.
    Events {
        per_second: f64,
    },
}

/// What happens after some bytes of the body.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// The connection is closed although the body is not over.
    Break,
    /// Nothing comes until the test lets it go on.
    Stall(Release),
}

/// Lets a stalled reply go on. Never released, it stalls until the client goes.
#[derive(Debug, Clone, Default)]
pub struct Release(Arc<Notify>);

impl Release {
    /// Lets the reply go on, now or when it comes to its stall.
    pub fn release(&self) {
        self.0.notify_one();
    }

    pub(super) async fn wait(&self) {
        self.0.notified().await;
    }
}

impl Reply {
    /// A stream of events with status 200.
    pub fn sse(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".into(), "text/event-stream".into())],
            body: body.into(),
            cut: Cut::Whole,
            delay: Duration::ZERO,
            silent: false,
            fault: None,
        }
    }

    /// A JSON body, as providers send it with their refusals.
    pub fn json(status: u16, body: &Value) -> Self {
        let mut reply = Self::sse(body.to_string());
        reply.status = status;
        reply.headers = vec![("content-type".into(), "application/json".into())];
        reply
    }

    /// A connection that takes the request and then says nothing at all, not even headers.
    pub fn silence() -> Self {
        Self {
            silent: true,
            ..Self::sse("")
        }
    }

    /// Sets the status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Sets the content type.
    #[must_use]
    pub fn content_type(mut self, content_type: &str) -> Self {
        self.headers.retain(|(name, _)| name != "content-type");
        self.header("content-type", content_type)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Cuts the body into pieces of these sizes, used in turn; a size of zero counts as one.
    #[must_use]
    pub fn in_pieces(mut self, sizes: impl IntoIterator<Item = usize>) -> Self {
        self.cut = Cut::Sizes(sizes.into_iter().collect());
        self
    }

    /// Cuts the body into single bytes.
    #[must_use]
    pub fn in_single_bytes(self) -> Self {
        self.in_pieces([1])
    }

    /// Writes so many events in a second, however coarse timers are. The body's lines end in LF.
    #[must_use]
    pub fn events_per_second(mut self, per_second: f64) -> Self {
        self.cut = Cut::Events { per_second };
        self
    }

    /// Waits before every piece.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Ends the body after so many bytes, as if it were whole.
    #[must_use]
    pub fn shortened_to(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }

    /// Breaks the connection after so many bytes of the body.
    #[must_use]
    pub fn broken_after(mut self, bytes: usize) -> Self {
        self.fault = Some((bytes, Fault::Break));
        self
    }

    /// Says nothing more after so many bytes of the body, until released.
    #[must_use]
    pub fn stalled_after(mut self, bytes: usize, release: &Release) -> Self {
        self.fault = Some((bytes, Fault::Stall(release.clone())));
        self
    }

    /// How many bytes the first events of the body take.
    pub fn bytes_of_events(&self, events: usize) -> usize {
        let text = String::from_utf8_lossy(&self.body);
        let blank = if text.contains("\r\n\r\n") {
            "\r\n\r\n"
        } else {
            "\n\n"
        };
        text.split_inclusive(blank).take(events).map(str::len).sum()
    }

    /// Says nothing more when it comes to this text, until released.
    ///
    /// # Panics
    ///
    /// If the body does not hold the text.
    #[must_use]
    pub fn stalled_at(self, text: &str, release: &Release) -> Self {
        let place = self.place_of(text);
        self.stalled_after(place, release)
    }

    /// How many bytes of the body stand before this text.
    ///
    /// # Panics
    ///
    /// If the body does not hold the text.
    pub fn place_of(&self, text: &str) -> usize {
        let mut places = self.body.windows(text.len());
        let place = places.position(|bytes| bytes == text.as_bytes());
        place.expect("the reply does not hold the text")
    }

    /// Length of the body, in bytes.
    pub fn body_length(&self) -> usize {
        self.body.len()
    }
}
