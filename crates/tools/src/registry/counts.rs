//! What is counted of the calls of a tool.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::{ToolError, ToolErrorKind};

/// What was counted of the calls of a tool since it was added, those of clones of its registry
/// included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCounts {
    /// Calls that ended, in whichever way.
    pub calls: u64,
    /// Those of them that failed, by the kind of failure; kinds that did not occur are left out. A call
    /// whose future was dropped counts as [`ToolErrorKind::Interrupted`].
    pub failures: Vec<(ToolErrorKind, u64)>,
    /// How long all of them took together.
    pub time: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    calls: AtomicU64,
    micros: AtomicU64,
    /// In the order of [`ToolErrorKind::ALL`].
    failures: [AtomicU64; ToolErrorKind::ALL.len()],
}

/// A call that has begun. Dropped, it counts as interrupted.
pub(super) struct Counting<'a> {
    counts: &'a Counts,
    begun: Instant,
    outcome: Option<ToolErrorKind>,
}

impl Counts {
    pub(super) fn begin(&self) -> Counting<'_> {
        Counting {
            counts: self,
            begun: Instant::now(),
            outcome: Some(ToolErrorKind::Interrupted),
        }
    }

    pub(super) fn read(&self) -> ToolCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let failures = ToolErrorKind::ALL.into_iter().zip(&self.failures);
        ToolCounts {
            calls: read(&self.calls),
            failures: failures
                .map(|(kind, count)| (kind, read(count)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            time: Duration::from_micros(read(&self.micros)),
        }
    }
}

impl Counting<'_> {
    /// Counts the call by how it ended.
    pub(super) fn end(mut self, result: &Result<Value, ToolError>) {
        self.outcome = result.as_ref().err().map(ToolError::kind);
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        let micros = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counts.calls.fetch_add(1, Ordering::Relaxed);
        self.counts.micros.fetch_add(micros, Ordering::Relaxed);
        let mut failures = ToolErrorKind::ALL.into_iter().zip(&self.counts.failures);
        if let Some((_, count)) = failures.find(|(kind, _)| Some(*kind) == self.outcome) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}
