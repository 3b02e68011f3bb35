//! What keeps an outage from being multiplied by those who ask again.

use std::sync::Arc;
use std::time::Duration;

use tower::retry::budget::{Budget, TpsBudget};

/// How long a request counts.
const WINDOW: Duration = Duration::from_secs(10);
/// Retries that are always allowed, for a process with few requests: 10 in a [`WINDOW`].
const PER_SECOND: u32 = 1;
/// Retries allowed beyond these, as a share of the requests.
const SHARE: f32 = 0.2;

/// How many retries all models of a process may make together: in any 10 seconds, one for each
/// five requests, and ten more.
///
/// Two retries for each request would triple the load of a provider that is failing under it.
/// Cloning shares the budget.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    tokens: Arc<TpsBudget>,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            tokens: Arc::new(TpsBudget::new(WINDOW, PER_SECOND, SHARE)),
        }
    }
}

impl RetryBudget {
    /// Counts a request.
    pub(super) fn deposit(&self) {
        self.tokens.deposit();
    }

    /// Takes one retry; false where none is left.
    pub(super) fn withdraw(&self) -> bool {
        self.tokens.withdraw()
    }
}
