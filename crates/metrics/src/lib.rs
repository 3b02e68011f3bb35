#![doc = include_str!("../README.md")]

mod asked;
mod metric;

pub use asked::{Asked, Sample};
pub use metric::{Kind, Metric};
use prometheus::TextEncoder;
pub use prometheus::local::LocalHistogram;
pub use prometheus::{
    Counter, CounterVec, Error, Gauge, Histogram, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Registry,
};

/// The media type of [`text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All that is in a registry, in Prometheus' text format 0.0.4, sorted by name.
#[must_use]
pub fn text(registry: &Registry) -> String {
    let mut text = String::new();
    // Cannot fail: families come from a registry, which leaves out empty ones, and a `String` takes
    // everything. If it did, what was written until then is all that is told.
    let _complete = TextEncoder::new().encode_utf8(&registry.gather(), &mut text);
    text
}
