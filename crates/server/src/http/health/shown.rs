//! Health as it is answered.

use chrono::{TimeDelta, Utc};
use patter_llm::{Circuit, CircuitState};
use patter_protocol::Timestamp;
use patter_store::SpoolUsage;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use super::Checked;
use crate::http::App;

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// All is as it should be.
    Ok,
    /// Conversations can be held, but something is worked around.
    Degraded,
    /// No conversation can be held.
    Down,
}

/// Answered by `/health/live` and `/health/ready`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Alive")]
pub(in crate::http) struct AliveJson {
    /// Always `ok`.
    pub(super) status: &'static str,
}

/// The server and what it depends on.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
pub(in crate::http) struct HealthJson {
    status: State,
    /// Of the server.
    version: &'static str,
    uptime_seconds: u64,
    /// Whether it is about to stop.
    draining: bool,
    store: StoreJson,
    /// What is kept on local disk until the store is back; null where nothing ever is.
    spool: Option<SpoolJson>,
    /// Whether what a process that died had left on this disk is stored.
    recovered: bool,
    model: ModelJson,
    /// The circuit of each model that is in use.
    circuits: Vec<CircuitJson>,
    sessions: SessionsJson,
    connections: ConnectionsJson,
}

/// The store.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StoreHealth")]
struct StoreJson {
    /// `postgres` or `sqlite`.
    kind: &'static str,
    /// `ok` or `down`.
    status: State,
    /// How long it took to answer; null where it does not.
    latency_ms: Option<f64>,
    /// Since when it is so, as far as this process knows.
    since: Timestamp,
}

/// What waits on local disk.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SpoolHealth")]
struct SpoolJson {
    events: u64,
    bytes: u64,
    max_bytes: u64,
    /// How long there has been something; null where there is nothing.
    filled_for_ms: Option<u64>,
}

/// The model that answers where no route says otherwise.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ModelName")]
struct ModelJson {
    provider: String,
    model: String,
}

/// Whether a model is asked, and what was seen of it of late.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CircuitHealth")]
struct CircuitJson {
    provider: String,
    model: String,
    state: CircuitStateJson,
    /// Since when it is open or not.
    since: Timestamp,
    /// Requests that ended within the window by which the circuit decides.
    requests: u32,
    /// Those of them that failed.
    failures: u32,
    /// When an open circuit is probed; null where it is not open.
    retry_after_ms: Option<u64>,
}

/// The state of a circuit.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CircuitState")]
enum CircuitStateJson {
    /// The model is asked.
    Closed,
    /// It is not asked.
    Open,
    /// It is asked once, to see.
    HalfOpen,
}

/// Sessions of this process.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LiveSessions")]
struct SessionsJson {
    live: usize,
}

/// WebSockets of this process.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OpenConnections")]
struct ConnectionsJson {
    open: usize,
}

impl HealthJson {
    pub(super) fn of(app: &App, status: State, store: Checked) -> Self {
        let model = app.sessions.model();
        Self {
            status,
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: app.started_at.elapsed().as_secs(),
            draining: app.shutdown.announced().is_cancelled(),
            store: StoreJson {
                kind: app.health.store.kind(),
                status: store.latency.map_or(State::Down, |_| State::Ok),
                latency_ms: store.latency.map(|latency| latency.as_secs_f64() * 1000.0),
                since: at(store.since),
            },
            spool: app.sessions.spool_usage().map(SpoolJson::of),
            recovered: app.sessions.is_recovered(),
            model: ModelJson {
                provider: model.provider().to_owned(),
                model: model.model().to_owned(),
            },
            circuits: app
                .circuits
                .iter()
                .map(|circuit| CircuitJson::of(circuit, app.started_at))
                .collect(),
            sessions: SessionsJson {
                live: app.sessions.live_count(),
            },
            connections: ConnectionsJson {
                open: app.connections.count(),
            },
        }
    }
}

impl SpoolJson {
    fn of(usage: SpoolUsage) -> Self {
        Self {
            events: usage.events,
            bytes: usage.bytes,
            max_bytes: usage.max_bytes,
            filled_for_ms: usage.filled_for.map(millis),
        }
    }
}

impl CircuitJson {
    fn of(circuit: &Circuit, started_at: Instant) -> Self {
        let status = circuit.status();
        let (state, retry_after) = match status.state {
            CircuitState::Closed => (CircuitStateJson::Closed, None),
            CircuitState::Open { retry_after } => (CircuitStateJson::Open, Some(retry_after)),
            CircuitState::HalfOpen => (CircuitStateJson::HalfOpen, None),
        };
        Self {
            provider: circuit.provider().to_owned(),
            model: circuit.model().to_owned(),
            state,
            since: at(status.since.unwrap_or(started_at)),
            requests: status.requests,
            failures: status.failures,
            retry_after_ms: retry_after.map(millis),
        }
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What a wall clock said at that moment, or nearly.
fn at(moment: Instant) -> Timestamp {
    let ago = TimeDelta::from_std(moment.elapsed()).unwrap_or_default();
    Timestamp::from(Utc::now() - ago)
}
