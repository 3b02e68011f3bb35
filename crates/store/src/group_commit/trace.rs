//! A span for each write, for whoever collects traces. It is a child of the span in which the first
//! append of the batch was asked for, so that the write is seen where it was waited for, and linked to
//! those of the others.

use tracing::field::Empty;
use tracing::{Span, info_span};

use super::Job;

pub(super) fn write(store: &str, batch: &[Job]) -> Span {
    let mut asked_in = batch
        .iter()
        .map(|job| &job.asked_in)
        .filter(|span| !span.is_disabled());
    let parent = asked_in.next().and_then(Span::id);
    // A collector is told signed numbers.
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let events: usize = batch.iter().map(|job| job.append.events.len()).sum();
    let span = info_span!(
        parent: parent,
        "store_write",
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = system_name(store),
        db.operation.batch.size = number(batch.len()),
        patter.events = number(events),
    );
    for other in asked_in {
        span.follows_from(other);
    }
    span
}

/// Notes that the write as a whole came to nothing.
pub(super) fn fail(span: &Span) {
    span.record("otel.status_code", "ERROR");
}

/// What the conventions of OpenTelemetry call it.
fn system_name(store: &str) -> &str {
    match store {
        "postgres" => "postgresql",
        other => other,
    }
}
