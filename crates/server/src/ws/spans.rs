//! The spans of a connection: one for the lines of the log, and one for traces. Neither is entered for an event of
//! the session: that would cost as much as the event.

use patter_protocol::SessionId;
use tracing::{Instrument, Span, info_span};

use super::trace;

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Spans {
    lines: Span,
    traced: Span,
}

impl Spans {
    /// Of a connection to this session that begins with the current request.
    pub(super) fn begin(session_id: &SessionId) -> Self {
        Self {
            lines: info_span!("connection", %session_id),
            traced: trace::connection(session_id),
        }
    }

    /// Does something in them.
    pub(super) async fn run<T>(&self, what: impl Future<Output = T>) -> T {
        let traced = what.instrument(self.traced.clone());
        traced.instrument(self.lines.clone()).await
    }
}
