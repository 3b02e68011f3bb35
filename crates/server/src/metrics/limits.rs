//! What is counted of those who take too much.

use patter_metrics::{Error, IntCounter, IntCounterVec, Registry};

use super::table;
use crate::limits::Limit;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct LimitMeasures {
    hit: IntCounterVec,
    /// Callers who were let in without being remembered, as too many were.
    pub(crate) unremembered: IntCounter,
}

impl Default for LimitMeasures {
    fn default() -> Self {
        let none: [&str; 0] = [];
        let measures = Self {
            hit: table::CALLER_LIMITS.counts(),
            unremembered: table::CALLERS_UNREMEMBERED
                .counts()
                .with_label_values(&none),
        };
        // A monitor misses the step from nothing to one.
        for limit in Limit::ALL {
            measures.hit.with_label_values(&[limit.word()]);
        }
        measures
    }
}

impl LimitMeasures {
    pub(crate) fn hit(&self, limit: Limit) {
        self.hit.with_label_values(&[limit.word()]).inc();
    }

    pub(super) fn register(&self, registry: &Registry) -> Result<(), Error> {
        registry.register(Box::new(self.hit.clone()))?;
        registry.register(Box::new(self.unremembered.clone()))
    }
}
