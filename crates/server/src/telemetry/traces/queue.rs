//! Where spans wait for their collector: bounded, and no place where anybody waits for room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::{Array, Context, StringValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::mpsc;

/// An attribute that is a list, which no field of `tracing` can be.
const LIST: &str = "gen_ai.response.finish_reasons";

/// Takes spans in.
#[derive(Debug)]
pub(super) struct Queue {
    sender: mpsc::Sender<SpanData>,
    dropped: Arc<AtomicU64>,
}

/// Gives them out.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) spans: mpsc::Receiver<SpanData>,
    dropped: Arc<AtomicU64>,
}

/// A queue with room for so many.
pub(super) fn queue(room: usize) -> (Queue, Waiting) {
    let (sender, spans) = mpsc::channel(room);
    let dropped = Arc::<AtomicU64>::default();
    let queue = Queue {
        sender,
        dropped: Arc::clone(&dropped),
    };
    (queue, Waiting { spans, dropped })
}

impl Waiting {
    /// How many found no room since this was asked last.
    pub(super) fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        for attribute in &mut span.attributes {
            if attribute.key.as_str() == LIST
                && let Value::String(reason) = &attribute.value
            {
                let reasons: Vec<StringValue> = vec![reason.clone()];
                attribute.value = Value::Array(Array::String(reasons));
            }
        }
        if self.sender.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What waits is sent by the task that has the other end.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
