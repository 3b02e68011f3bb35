//! How connections of the pool are waited for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::measures::PoolUsage;

/// Counts how connections are waited for.
#[derive(Debug, Default)]
pub(super) struct Waits {
    acquired: AtomicU64,
    failed: AtomicU64,
    micros: AtomicU64,
}

impl Waits {
    pub(super) fn count(&self, waited: Duration, succeeded: bool) {
        let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.acquired.fetch_add(1, Ordering::Relaxed);
        self.failed
            .fetch_add(u64::from(!succeeded), Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Fills in what it has counted.
    pub(super) fn usage(&self, open: u32, idle: u32, max: u32) -> PoolUsage {
        PoolUsage {
            open,
            idle,
            max,
            acquired: self.acquired.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            waited: Duration::from_micros(self.micros.load(Ordering::Relaxed)),
        }
    }
}
