//! Traces: the spans of all crates become those of OpenTelemetry, wait in a bounded queue, and are sent
//! to the collector that the configuration names. Without one there is no layer, and no span is made.
//!
//! Spans for traces are made in modules called `trace`, and named as OpenTelemetry's conventions say;
//! all others are there for the lines of the log, and are none of this. Log lines are not recorded.

mod context;
mod export;
mod queue;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::config::TelemetryConfig;
pub(crate) use context::{outgoing, set_parent};
use export::Exporter;

/// What every module with spans for traces is called.
const MODULE: &str = "::trace";
/// So many spans wait; what comes beyond is dropped, and counted.
const MAX_WAITING: usize = 2048;
/// What is left at the end is sent in so long, or lost.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Sends the spans of this process.
#[derive(Debug)]
pub(super) struct Traces {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Traces {
    /// Sends what waits, if the collector takes it in time.
    pub(super) async fn shutdown(&self) {
        self.stop.cancel();
        // Nobody is to be told: whoever runs the collector sees what is missing.
        let _lost = timeout(FLUSH_LIMIT, self.tasks.wait()).await;
    }
}

/// The layer that takes spans in, and what sends them from a task of its own.
///
/// # Errors
///
/// Where the system has no usable TLS.
pub(super) fn start<S>(
    config: &TelemetryConfig,
    endpoint: &str,
) -> reqwest::Result<(impl Layer<S> + Send + Sync + use<S>, Traces)>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let (queue, waiting) = queue::queue(MAX_WAITING);
    let resource = resource(config);
    let exporter = Exporter::new(endpoint, config.otlp_headers.as_ref(), &resource)?;
    let sampler = Sampler::TraceIdRatioBased(config.sample_ratio);
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(sampler)))
        .with_resource(resource)
        .with_span_processor(queue)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("patter"))
        .with_context_activation(false)
        .with_tracked_inactivity(false)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_filter(filter_fn(is_traced).with_max_level_hint(LevelFilter::INFO));
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(export::run(exporter, waiting, stop.clone()));
    tasks.close();
    Ok((layer, Traces { stop, tasks }))
}

fn resource(config: &TelemetryConfig) -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", config.service_name.clone()),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", uuid::Uuid::now_v7().to_string()),
        ])
        .build()
}

/// Whether this is a span for traces, and not for the lines of the log.
pub(super) fn is_traced(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    metadata.is_span() && target.starts_with("patter_") && target.ends_with(MODULE)
}
