//! One call of a tool: it ends by its deadline, a panic is a failure, and the result is one that can be kept.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};
use tracing::error;

use super::{ToolLimits, hygiene};
use crate::{Tool, ToolContext, ToolError};

/// Calls a tool, whatever it does.
pub(super) async fn call(
    tool: &dyn Tool,
    limits: ToolLimits,
    arguments: Map<String, Value>,
    mut context: ToolContext,
) -> Result<Value, ToolError> {
    let started = Instant::now();
    let latest = started
        .checked_add(limits.timeout)
        .unwrap_or(context.deadline);
    context.deadline = context.deadline.min(latest);
    let deadline = context.deadline;

    // The inner block also catches a panic before the tool's first await.
    let call = AssertUnwindSafe(async { tool.call(arguments, context).await }).catch_unwind();
    match timeout_at(deadline, call).await {
        Ok(Ok(Ok(result))) => hygiene::clean_result(result, limits.max_result_bytes),
        Ok(Ok(Err(error))) => Err(hygiene::clean_error(error)),
        Ok(Err(_panic)) => {
            error!("a tool panicked");
            Err(ToolError::Failed("the tool panicked".to_owned()))
        }
        Err(_elapsed) => Err(ToolError::Timeout {
            limit: deadline.saturating_duration_since(started),
        }),
    }
}
