//! Whether the server does its work: for people and dashboards (`/health`), and for orchestrators
//! (`/health/live`, `/health/ready`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use patter_llm::{Circuit, CircuitState};
use patter_store::{SessionStore, SpoolUsage};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::{App, Problem, Reply};
use crate::telemetry::with_causes;

/// So long an answer of the store counts as news, however often it is asked for.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// A store that does not answer in so long is away.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the store how it is, once a second at the most.
#[derive(Debug)]
pub(crate) struct Health {
    store: Arc<dyn SessionStore>,
    last: Mutex<Option<Checked>>,
    /// One question at a time; who comes meanwhile waits for its answer.
    asking: Semaphore,
}

/// What the store said.
#[derive(Debug, Clone, Copy)]
struct Checked {
    at: Instant,
    /// How long it took to say that all is well; `None` if it is not.
    latency: Option<Duration>,
}

impl Health {
    /// Asks this store.
    pub(crate) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self {
            store,
            last: Mutex::new(None),
            asking: Semaphore::new(1),
        }
    }

    /// How long the store took to answer; `None` if it does not.
    async fn store_latency(&self) -> Option<Duration> {
        // The semaphore is never closed.
        let _one_at_a_time = self.asking.acquire().await;
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fresh) = last.filter(|last| last.at.elapsed() < FRESH_FOR) {
            return fresh.latency;
        }
        let latency = self.ask().await;
        let checked = Checked {
            at: Instant::now(),
            latency,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(checked);
        latency
    }

    async fn ask(&self) -> Option<Duration> {
        let asked_at = Instant::now();
        match timeout(CHECK_TIMEOUT, self.store.check()).await {
            Ok(Ok(())) => Some(asked_at.elapsed()),
            Ok(Err(error)) => {
                warn!(error = with_causes(&error), "the store is not well");
                None
            }
            Err(_elapsed) => {
                warn!("the store does not answer");
                None
            }
        }
    }
}

/// `GET /health`: all that can be said, with 503 where no conversation can be held.
pub(crate) async fn report(app: &App) -> Response<Full<Bytes>> {
    let latency = app.health.store_latency().await;
    let draining = app.shutdown.announced().is_cancelled();
    let usage = app.sessions.spool_usage();
    let (status, word) = match latency {
        None if !is_usable(usage) => (StatusCode::SERVICE_UNAVAILABLE, "down"),
        Some(_) if !draining && is_empty(usage) && all_closed(&app.circuits) => {
            (StatusCode::OK, "ok")
        }
        _ => (StatusCode::OK, "degraded"),
    };
    let model = app.sessions.model();
    let body = json!({
        "status": word,
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": app.started_at.elapsed().as_secs(),
        "draining": draining,
        "store": {
            "kind": app.health.store.kind(),
            "status": if latency.is_some() { "ok" } else { "down" },
            "latency_ms": latency.map(|latency| latency.as_secs_f64() * 1000.0),
        },
        "spool": usage.map(spool),
        "recovered": app.sessions.is_recovered(),
        "model": { "provider": model.provider(), "model": model.model() },
        "circuits": app.circuits.iter().map(circuit).collect::<Vec<_>>(),
        "sessions": { "live": app.sessions.live_count() },
        "connections": { "open": app.connections.count() },
    });
    super::json(status, &body)
}

fn all_closed(circuits: &[Circuit]) -> bool {
    let mut states = circuits.iter().map(|circuit| circuit.status().state);
    states.all(|state| state == CircuitState::Closed)
}

/// Whether messages can be taken although the store is away.
fn is_usable(usage: Option<SpoolUsage>) -> bool {
    usage.is_some_and(|usage| {
        let almost_full = usage.max_bytes / 10 * 8;
        usage.has_room() && usage.bytes < almost_full
    })
}

/// Whether nothing waits on local disk for the store to be back.
fn is_empty(usage: Option<SpoolUsage>) -> bool {
    usage.is_none_or(|usage| usage.events == 0)
}

fn spool(usage: SpoolUsage) -> Value {
    json!({
        "events": usage.events,
        "bytes": usage.bytes,
        "max_bytes": usage.max_bytes,
        "filled_for_ms": usage.filled_for.map(|age| age.as_millis()),
    })
}

/// The circuit of a model: whether it is asked, and what it has seen of late.
fn circuit(circuit: &Circuit) -> Value {
    let status = circuit.status();
    let (state, retry_after) = match status.state {
        CircuitState::Closed => ("closed", None),
        CircuitState::Open { retry_after } => ("open", Some(retry_after)),
        CircuitState::HalfOpen => ("half_open", None),
    };
    json!({
        "provider": circuit.provider(),
        "model": circuit.model(),
        "state": state,
        "requests": status.requests,
        "failures": status.failures,
        "retry_after_ms": retry_after.map(|wait| wait.as_millis()),
    })
}

/// `GET /health/live`: the process runs.
pub(crate) fn live() -> Response<Full<Bytes>> {
    super::json(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `GET /health/ready`: the server should get traffic.
///
/// # Errors
///
/// 503 while it stops, while what a lost process left on this disk is not stored yet, and while it
/// cannot make anything safe: the store is away, and there is no spool or it is four fifths full.
pub(crate) async fn ready(app: &App) -> Reply {
    if app.shutdown.announced().is_cancelled() {
        return Err(Problem::draining());
    }
    if !app.sessions.is_recovered() {
        let detail = "what a lost process left on this disk is being stored";
        return Err(Problem::unavailable("recovering", detail));
    }
    let is_store_there = app.health.store_latency().await.is_some();
    if !is_store_there && !is_usable(app.sessions.spool_usage()) {
        return Err(Problem::unavailable(
            "store_unavailable",
            "the database is not available",
        ));
    }
    Ok(super::json(StatusCode::OK, &json!({ "status": "ok" })))
}
