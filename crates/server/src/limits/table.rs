//! What the rates know of each caller: a number, for no more callers than there is room for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

use super::Who;
use crate::metrics::LimitMeasures;

/// So many callers are remembered. Whoever comes when there are so many is let in and not remembered:
/// who has so many addresses gains nothing by one more, and somebody else would be refused for nothing.
const MAX_CALLERS: usize = 50_000;

/// What is asked of a rate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    who: Who,
    is_counted: bool,
}

impl Asked {
    /// One is to be taken.
    pub(super) fn to_take(who: &Who) -> Self {
        Self {
            who: who.clone(),
            is_counted: true,
        }
    }

    /// Whether one could be.
    pub(super) fn to_look(who: &Who) -> Self {
        Self {
            who: who.clone(),
            is_counted: false,
        }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Table {
    callers: Mutex<HashMap<Who, Nanos>>,
    measures: Arc<LimitMeasures>,
}

impl Table {
    pub(super) fn new(measures: Arc<LimitMeasures>) -> Self {
        Self {
            callers: Mutex::default(),
            measures,
        }
    }

    fn callers(&self) -> MutexGuard<'_, HashMap<Who, Nanos>> {
        // Nothing panics while it is locked.
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for Table {
    type Key = Asked;

    fn measure_and_replace<T, F, E>(&self, asked: &Asked, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut callers = self.callers();
        let known = callers.get(&asked.who).copied();
        let (granted, next) = measure(known)?;
        if !asked.is_counted {
            return Ok(granted);
        }
        if known.is_some() || callers.len() < MAX_CALLERS {
            callers.insert(asked.who.clone(), next);
        } else {
            self.measures.unremembered.inc();
        }
        Ok(granted)
    }
}

impl ShrinkableKeyedStateStore<Asked> for Table {
    fn retain_recent(&self, drop_below: Nanos) {
        self.callers().retain(|_, until| *until > drop_below);
    }

    fn shrink_to_fit(&self) {
        self.callers().shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.callers().len()
    }

    fn is_empty(&self) -> bool {
        self.callers().is_empty()
    }
}
