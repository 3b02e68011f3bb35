//! How much of something each caller has at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Who;

/// Counts what callers hold. There are no more entries than there are places held.
#[derive(Debug)]
pub(super) struct Held {
    max: usize,
    holders: Arc<Holders>,
}

/// One of those that a caller may hold, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    who: Who,
    holders: Arc<Holders>,
}

#[derive(Debug, Default)]
struct Holders(Mutex<HashMap<Who, usize>>);

impl Held {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            holders: Arc::default(),
        }
    }

    /// How many callers hold one.
    #[cfg(test)]
    pub(super) fn holders(&self) -> usize {
        self.holders.counts().len()
    }

    /// One more, if the caller may have it.
    pub(super) fn take(&self, who: Who) -> Option<Place> {
        let mut holders = self.holders.counts();
        let held = holders.get(&who).copied().unwrap_or(0);
        if held >= self.max {
            return None;
        }
        holders.insert(who.clone(), held + 1);
        drop(holders);
        Some(Place {
            who,
            holders: Arc::clone(&self.holders),
        })
    }
}

impl Holders {
    fn counts(&self) -> MutexGuard<'_, HashMap<Who, usize>> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut holders = self.holders.counts();
        if let Some(held) = holders.get_mut(&self.who) {
            *held -= 1;
            if *held == 0 {
                holders.remove(&self.who);
            }
        }
    }
}
