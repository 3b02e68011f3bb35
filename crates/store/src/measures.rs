//! What is counted of the writes to a store, and of the pool of one that has a pool.

use std::time::Duration;

use patter_metrics::{Error, Histogram, IntCounterVec, Metric, Registry};

use crate::error::StoreError;

/// Everything that [`EventWriter::register_metrics`](crate::EventWriter::register_metrics) hands on.
pub const METRICS: &[&Metric] = &[&BATCH_TIME, &BATCH_EVENTS, &APPENDS_FAILED, &WRITES_WAITING];

const BATCH_TIME: Metric = Metric::histogram(
    "patter_store_batch_seconds",
    &[],
    &[
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
    ],
    "How long a write of events took, those of many sessions together; one that failed, too.",
    "Long: the database is slow or far away. From 2 s on it counts as away, and events go to the spool as well.",
);
const BATCH_EVENTS: Metric = Metric::histogram(
    "patter_store_batch_events",
    &[],
    &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0],
    "How many events a write had.",
    "Large: writes take so long that many wait for them; that is how load is borne. At 512 the store is at its limit.",
);
const APPENDS_FAILED: Metric = Metric::counter(
    "patter_store_append_failures_total",
    &["kind"],
    "Writes of one session's events that failed, by kind: unavailable, fenced, no_such_session, rejected, other. What is unavailable is tried again.",
    "`unavailable`: the database is away. `fenced`: another process has the session. `rejected`: a defect; see the log.",
);
pub(crate) const WRITES_WAITING: Metric = Metric::gauge(
    "patter_store_writes_waiting",
    &[],
    "Writes of sessions that wait for a batch.",
    "Stays high: the database does not keep up. At 2048 sessions wait for a place in the queue.",
);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Measures {
    pub(crate) batch_time: Histogram,
    pub(crate) batch_events: Histogram,
    appends_failed: IntCounterVec,
}

impl Default for Measures {
    fn default() -> Self {
        let none: [&str; 0] = [];
        let appends_failed = APPENDS_FAILED.counts();
        for kind in [
            "unavailable",
            "fenced",
            "no_such_session",
            "rejected",
            "other",
        ] {
            appends_failed.with_label_values(&[kind]);
        }
        Self {
            batch_time: BATCH_TIME.measures().with_label_values(&none),
            batch_events: BATCH_EVENTS.measures().with_label_values(&none),
            appends_failed,
        }
    }
}

impl Measures {
    pub(crate) fn append_failed(&self, error: &StoreError) {
        let kind = match error {
            StoreError::Unavailable(_) => "unavailable",
            StoreError::Fenced { .. } => "fenced",
            StoreError::NoSuchSession { .. } => "no_such_session",
            StoreError::Rejected(_) => "rejected",
            StoreError::Owned { .. }
            | StoreError::Corrupt(_)
            | StoreError::Unusable(_)
            | StoreError::Exists { .. }
            | StoreError::MetadataTooLarge { .. } => "other",
        };
        self.appends_failed.with_label_values(&[kind]).inc();
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<(), Error> {
        registry.register(Box::new(self.batch_time.clone()))?;
        registry.register(Box::new(self.batch_events.clone()))?;
        registry.register(Box::new(self.appends_failed.clone()))
    }
}

/// How the connections of a store are used. From memory, without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUsage {
    /// Connections that there are.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// The most that there can be.
    pub max: u32,
    /// How often a connection was asked for.
    pub acquired: u64,
    /// How often there was none in time.
    pub failed: u64,
    /// How long all of these waited together.
    pub waited: Duration,
}
