//! What others keep anyway, and are asked for when somebody wants to know.

use std::sync::Arc;
use std::time::SystemTime;

use patter_llm::{Circuit, CircuitState, CircuitStatus};
use patter_metrics::{Asked, Error, Registry, Sample};
use patter_store::{PoolUsage, SessionStore};
use patter_tools::ToolRegistry;
use tokio::time::Instant;

use super::table::{
    BUILD, CIRCUIT_OPENED, CIRCUIT_STATE, CIRCUITS, MODEL_FAILURES, MODEL_REJECTED, MODEL_REQUESTS,
    POOL, POOL_ACQUIRED, POOL_CONNECTIONS, POOL_FAILED, POOL_MAX, POOL_WAITED, PROCESS, START,
    TOOL_CALLS, TOOL_FAILURES, TOOLS, UPTIME, WINDOW_FAILURES, WINDOW_REQUESTS,
};

/// Which version runs, and since when.
pub(super) fn process(registry: &Registry) -> Result<(), Error> {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let started_at = since_epoch.unwrap_or_default().as_secs_f64();
    let started = Instant::now();
    register(registry, PROCESS, move || {
        vec![
            BUILD.sample(&[env!("CARGO_PKG_VERSION")], 1.0),
            START.sample(&[], started_at),
            UPTIME.sample(&[], started.elapsed().as_secs_f64()),
        ]
    })
}

/// The circuit of each model, which counts its requests.
pub(super) fn circuits(registry: &Registry, circuits: Vec<Circuit>) -> Result<(), Error> {
    register(registry, CIRCUITS, move || {
        circuits.iter().flat_map(circuit).collect()
    })
}

fn circuit(circuit: &Circuit) -> Vec<Sample> {
    let CircuitStatus {
        state,
        requests,
        failures,
        totals,
        ..
    } = circuit.status();
    let model = [circuit.provider(), circuit.model()];
    let mut samples = vec![
        WINDOW_REQUESTS.sample(&model, requests.into()),
        WINDOW_FAILURES.sample(&model, failures.into()),
        CIRCUIT_OPENED.sample(&model, float(totals.opened)),
        MODEL_REQUESTS.sample(&model, float(totals.requests)),
        MODEL_REJECTED.sample(&model, float(totals.rejected)),
    ];
    let [provider, model] = model;
    for (word, is_in_it) in [
        ("closed", state == CircuitState::Closed),
        ("open", matches!(state, CircuitState::Open { .. })),
        ("half_open", state == CircuitState::HalfOpen),
    ] {
        let value = f64::from(u8::from(is_in_it));
        samples.push(CIRCUIT_STATE.sample(&[provider, model, word], value));
    }
    for (kind, count) in &totals.failures {
        samples.push(MODEL_FAILURES.sample(&[provider, model, kind], float(*count)));
    }
    samples
}

/// The calls of each tool, which the registry counts.
pub(super) fn tools(registry: &Registry, tools: ToolRegistry) -> Result<(), Error> {
    register(registry, TOOLS, move || {
        let mut samples = Vec::new();
        for (tool, counts) in tools.counts() {
            samples.push(TOOL_CALLS.sample(&[&tool], float(counts.calls)));
            for (kind, count) in counts.failures {
                samples.push(TOOL_FAILURES.sample(&[&tool, kind.as_str()], float(count)));
            }
        }
        samples
    })
}

/// The connections of a store that has a pool.
pub(super) fn pool(registry: &Registry, store: Arc<dyn SessionStore>) -> Result<(), Error> {
    register(registry, POOL, move || {
        let usage = store.pool_usage();
        usage.map(pool_samples).unwrap_or_default()
    })
}

fn pool_samples(usage: PoolUsage) -> Vec<Sample> {
    let in_use = usage.open.saturating_sub(usage.idle);
    vec![
        POOL_CONNECTIONS.sample(&["idle"], usage.idle.into()),
        POOL_CONNECTIONS.sample(&["in_use"], in_use.into()),
        POOL_MAX.sample(&[], usage.max.into()),
        POOL_ACQUIRED.sample(&[], float(usage.acquired)),
        POOL_FAILED.sample(&[], float(usage.failed)),
        POOL_WAITED.sample(&[], usage.waited.as_secs_f64()),
    ]
}

fn register(
    registry: &Registry,
    metrics: &'static [&'static patter_metrics::Metric],
    ask: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
) -> Result<(), Error> {
    registry.register(Box::new(Asked::new(metrics, ask)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus has only floating point, and these stay far below 2^52"
)]
fn float(count: u64) -> f64 {
    count as f64
}
