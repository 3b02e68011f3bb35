//! The spans of a connection: one for the lines of the log, and one for traces, which is a child of the request
//! that it began as, in the same trace. What is said on it has traces of its own, which are linked to it.
//!
//! Neither is entered for an event of the session: that would cost as much as the event.

use patter_protocol::SessionId;
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Both spans of a connection.
#[derive(Debug, Clone)]
pub(super) struct Spans {
    lines: Span,
    traced: Span,
}

impl Spans {
    /// Of a connection to this session that begins with the current request.
    pub(super) fn begin(session_id: &SessionId) -> Self {
        Self {
            lines: info_span!("connection", %session_id),
            traced: traced(session_id),
        }
    }

    /// Does something in them.
    pub(super) async fn run<T>(&self, what: impl Future<Output = T>) -> T {
        let traced = what.instrument(self.traced.clone());
        traced.instrument(self.lines.clone()).await
    }
}

/// The request is only named: as its child for `tracing` too, the connection would keep it open.
fn traced(session_id: &SessionId) -> Span {
    let span = info_span!(
        parent: None,
        "connection",
        otel.kind = "server",
        network.protocol.name = "websocket",
        gen_ai.conversation.id = %session_id,
    );
    if !span.is_disabled() {
        // Fails where no traces are made, which is no matter.
        let _not_traced = span.set_parent(Span::current().context());
    }
    span
}
