//! The span of a connection, for traces: a child of the request that it began as, in the same trace.
//! What is said on it has traces of its own, which are linked to it.

use patter_protocol::SessionId;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The request is only named: as its child for `tracing` too, the connection would keep it open.
pub(super) fn connection(session_id: &SessionId) -> Span {
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
