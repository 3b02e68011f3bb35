//! Asking a model again that failed before it said anything.

mod budget;
mod policy;

use std::time::Duration;

use async_trait::async_trait;
use backon::Retryable;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;
use tracing::info;

use crate::error::LlmError;
use crate::first_event::first_event;
use crate::model::{Answer, ChatModel};
use crate::request::ChatRequest;
use crate::windowed::Window;

pub use budget::RetryBudget;
pub use policy::RetryPolicy;

/// Asks its model again where it failed before the first event of its answer.
///
/// [`ChatModel::stream`] returns only with the first event: a request that was accepted and fails
/// before it is a try that failed. Errors behind it pass unchanged, because somebody has seen the
/// beginning.
///
/// Only errors that are [retryable](LlmError::is_retryable) lead to another try, and never
/// [`LlmError::CircuitOpen`]. Where the provider asks to wait longer than the policy allows, where
/// the time for new tries is over, or where the budget is spent, the error goes back at once, so
/// that somebody else can be asked.
#[derive(Debug)]
pub struct Retry<M> {
    model: M,
    budget: RetryBudget,
    policy: RetryPolicy,
}

impl<M: ChatModel> Retry<M> {
    /// Asks again as [`RetryPolicy::default`] says. The budget is to be shared by all models of
    /// a process.
    pub fn new(model: M, budget: RetryBudget) -> Self {
        Self::with_policy(model, budget, RetryPolicy::default())
    }

    /// Asks again as the policy says.
    pub fn with_policy(model: M, budget: RetryBudget, policy: RetryPolicy) -> Self {
        Self {
            model,
            budget,
            policy,
        }
    }

    /// How long to wait before the next try; `None` where there is none. Takes from the budget.
    ///
    /// `delay` is how long we would wait, and `elapsed` the time since the first try began.
    fn wait(&self, error: &LlmError, delay: Duration, elapsed: Duration) -> Option<Duration> {
        let asked = error.retry_after().unwrap_or_default();
        if asked > self.policy.longest_retry_after {
            return None;
        }
        let wait = delay.max(asked);
        let in_time = elapsed.saturating_add(wait) <= self.policy.tries_begin_within;
        (in_time && self.budget.withdraw()).then_some(wait)
    }
}

#[async_trait]
impl<M: ChatModel> ChatModel for Retry<M> {
    fn provider(&self) -> &str {
        self.model.provider()
    }

    fn model(&self) -> &str {
        self.model.model()
    }

    fn window(&self) -> Option<&Window> {
        self.model.window()
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        self.budget.deposit();
        let began = Instant::now();
        let (first, rest) = (|| first_event(&self.model, request))
            .retry(self.policy.delays())
            .when(may_pass)
            .adjust(|error, delay| self.wait(error, delay?, began.elapsed()))
            .notify(|error, wait| {
                info!(
                    provider = self.provider(),
                    model = self.model(),
                    %error,
                    wait_ms = wait.as_millis(),
                    "asking again"
                );
            })
            .await?;
        Ok(Answer::new(stream::iter([Ok(first)]).chain(rest)))
    }
}

/// Whether another try of ours may fare better. An open circuit is not asked again: it was opened
/// so that nobody waits for this model.
fn may_pass(error: &LlmError) -> bool {
    error.is_retryable() && !matches!(error, LlmError::CircuitOpen { .. })
}
