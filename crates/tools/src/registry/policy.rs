//! What somebody who runs tools says about the calls of one of them.

use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::ToolLimits;
use crate::ToolError;

/// Which calls of a tool wait until a person agrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// None.
    Never,
    /// Those of a tool that may change something ([`Tool::writes`](crate::Tool::writes)).
    #[default]
    Writes,
    /// All.
    Always,
}

/// What holds for the calls of one tool. What is `None` is as for all tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ToolPolicy {
    /// Which calls wait until a person agrees.
    pub approval: Option<Approval>,
    /// How long one call may take.
    pub timeout: Option<Duration>,
    /// The largest result, in bytes of JSON.
    pub max_result_bytes: Option<usize>,
    /// How many calls one answer may have. The caller of the registry sees to it.
    pub max_calls: Option<usize>,
    /// How many calls may run at the same time, of all conversations together.
    pub max_parallel: Option<usize>,
}

impl ToolPolicy {
    /// What this says, and where it says nothing, what the other does.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            approval: self.approval.or(other.approval),
            timeout: self.timeout.or(other.timeout),
            max_result_bytes: self.max_result_bytes.or(other.max_result_bytes),
            max_calls: self.max_calls.or(other.max_calls),
            max_parallel: self.max_parallel.or(other.max_parallel),
        }
    }

    pub(super) fn limits(&self, general: ToolLimits) -> ToolLimits {
        ToolLimits {
            timeout: self.timeout.unwrap_or(general.timeout),
            max_result_bytes: self.max_result_bytes.unwrap_or(general.max_result_bytes),
        }
    }
}

/// A policy in force.
#[derive(Debug, Default)]
pub(super) struct Rule {
    pub(super) policy: ToolPolicy,
    /// One for each call that may run at the same time.
    turns: Option<Semaphore>,
}

impl Rule {
    pub(super) fn new(policy: ToolPolicy) -> Self {
        let turns = policy.max_parallel.map(|most| most.max(1));
        Self {
            policy,
            turns: turns.map(|most| Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Waits until one more call may run.
    ///
    /// # Errors
    ///
    /// [`ToolError::Failed`] when that was not so before the deadline.
    pub(super) async fn turn(
        &self,
        deadline: Instant,
    ) -> Result<Option<SemaphorePermit<'_>>, ToolError> {
        let Some(turns) = &self.turns else {
            return Ok(None);
        };
        match timeout_at(deadline, turns.acquire()).await {
            Ok(Ok(turn)) => Ok(Some(turn)),
            Ok(Err(_)) | Err(_) => Err(ToolError::Failed(
                "not run: other calls of this tool took too long".to_owned(),
            )),
        }
    }
}
