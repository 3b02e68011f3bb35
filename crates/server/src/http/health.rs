//! Whether the server does its work: for people and dashboards (`/health`), and for orchestrators
//! (`/health/live`, `/health/ready`).

mod shown;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Response, StatusCode};
use patter_llm::{Circuit, CircuitState};
use patter_store::{SessionStore, SpoolUsage};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::{App, Body, Problem, Reply};
use crate::telemetry::with_causes;
use shown::State;
pub(super) use shown::{AliveJson, HealthJson};

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
pub(super) struct Checked {
    at: Instant,
    /// How long it took to say that all is well; `None` if it is not.
    pub(super) latency: Option<Duration>,
    /// Since when it is so.
    pub(super) since: Instant,
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

    /// How the store is, as it was a second ago at the most.
    async fn store_state(&self) -> Checked {
        // The semaphore is never closed.
        let _one_at_a_time = self.asking.acquire().await;
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fresh) = last.filter(|last| last.at.elapsed() < FRESH_FOR) {
            return fresh;
        }
        let latency = self.ask().await;
        let at = Instant::now();
        let same = last.filter(|last| last.latency.is_some() == latency.is_some());
        let since = same.map_or(at, |last| last.since);
        let checked = Checked { at, latency, since };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(checked);
        checked
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

/// Whether the server does its work, and what it depends on: 503 where no conversation can be held.
#[utoipa::path(
    get,
    operation_id = "getHealth",
    path = "/health",
    tag = "server",
    responses(
        (status = 200, description = "Conversations can be held; `degraded` where something is worked around",
            body = ref("#/components/schemas/Health")),
        (status = 503, description = "No conversation can be held", body = ref("#/components/schemas/Health")),
    )
)]
pub(crate) async fn report(app: &App) -> Response<Body> {
    let store = app.health.store_state().await;
    let draining = app.shutdown.announced().is_cancelled();
    let usage = app.sessions.spool_usage();
    let (status, state) = match store.latency {
        None if !is_usable(usage) => (StatusCode::SERVICE_UNAVAILABLE, State::Down),
        Some(_)
            if !draining
                && app.sessions.is_recovered()
                && is_empty(usage)
                && all_closed(&app.circuits) =>
        {
            (StatusCode::OK, State::Ok)
        }
        _ => (StatusCode::OK, State::Degraded),
    };
    super::json(status, &HealthJson::of(app, state, store))
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

/// The process runs: an orchestrator that hears nothing restarts it.
#[utoipa::path(
    get,
    operation_id = "getLiveness",
    path = "/health/live",
    tag = "server",
    responses((status = 200, description = "The process runs", body = ref("#/components/schemas/Alive")))
)]
pub(crate) fn live() -> Response<Body> {
    super::json(StatusCode::OK, &AliveJson { status: "ok" })
}

/// The server should get traffic.
///
/// # Errors
///
/// 503 while it stops, while what a lost process left on this disk is not stored yet, and while it
/// cannot make anything safe: the store is away, and there is no spool or it is four fifths full.
#[utoipa::path(
    get,
    operation_id = "getReadiness",
    path = "/health/ready",
    tag = "server",
    responses(
        (status = 200, description = "Send traffic", body = ref("#/components/schemas/Alive")),
        (status = 503, description = "Send none: the server starts, stops, or cannot make anything safe"),
    )
)]
pub(crate) async fn ready(app: &App) -> Reply {
    if app.shutdown.announced().is_cancelled() {
        return Err(Problem::draining());
    }
    if !app.sessions.is_recovered() {
        let detail = "what a lost process left on this disk is being stored";
        return Err(Problem::unavailable("recovering", detail));
    }
    let is_store_there = app.health.store_state().await.latency.is_some();
    if !is_store_there && !is_usable(app.sessions.spool_usage()) {
        return Err(Problem::unavailable(
            "store_unavailable",
            "the database is not available",
        ));
    }
    Ok(super::json(StatusCode::OK, &AliveJson { status: "ok" }))
}
