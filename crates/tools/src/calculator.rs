//! The calculator: exact arithmetic for models, which are poor at it.
//!
//! The arithmetic is fend's. An expression can make fend overflow the stack, which ends the whole
//! process, or compute for ever; what stands between is told in [`expression`] (what is let in)
//! and [`evaluate`] (where it runs and how it is stopped).

mod dates;
mod evaluate;
mod expression;
mod percent;
mod rounding;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout_at,
};

use crate::{Tool, ToolContext, ToolError, ToolSpec, arguments};

/// So many expressions are computed at the same time by one calculator; others wait.
const MAX_CONCURRENT: usize = 2;

/// The tool `calculator`: evaluates an expression with exact numbers, functions and units.
///
/// The result is `{"expression", "result", "exact"}`: the expression as it was given, the value
/// as text (it may have a unit, and more digits than a JSON number holds), and whether the value
/// is exact or rounded. `"complex": true` stands beside a value with an imaginary part.
#[derive(Debug)]
pub struct Calculator {
    spec: ToolSpec,
    /// A permit is held by the thread that computes, not by the call that waits for it: a call
    /// that was dropped does not make room before its thread has ended.
    threads: Arc<Semaphore>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The expression, such as `(3 + 4)^2`, `15% of 240`, `sqrt(2)`, `20!` or `5 km to miles`.
    #[schemars(length(min = 1, max = 1024))]
    expression: String,
}

impl Default for Calculator {
    fn default() -> Self {
        Self {
            spec: ToolSpec::of::<Arguments>(
                "calculator",
                "Computes the value of an arithmetic expression exactly. Knows + - * / ^ !, mod, \
                 percentages, parentheses, functions (sqrt, sin, ln, log10, ...), constants \
                 (pi, e), units, and dates (2024-02-28 + 2 days, 2024-12-24 - 2024-02-29, weekday \
                 of 2024-02-29). Trigonometric functions take radians unless a unit is given, \
                 as in sin(30 degrees).",
            ),
            threads: Arc::new(Semaphore::new(MAX_CONCURRENT)),
        }
    }
}

#[async_trait]
impl Tool for Calculator {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn checks_arguments(&self) -> bool {
        true
    }

    async fn call(
        &self,
        arguments: Map<String, Value>,
        context: ToolContext,
    ) -> Result<Value, ToolError> {
        let Arguments { expression } = arguments::parse(arguments)?;
        if let Some(value) = dates::evaluate(&expression) {
            return Ok(json!({ "expression": expression, "result": value?, "exact": true }));
        }
        let prepared = expression::prepare(&expression)?;
        let started = tokio::time::Instant::now();
        let answer = timeout_at(context.deadline, self.compute(prepared))
            .await
            .map_err(|_| ToolError::Timeout {
                limit: context.deadline.saturating_duration_since(started),
            })??;
        let mut result = Map::new();
        result.insert("expression".to_owned(), json!(expression));
        result.insert("result".to_owned(), json!(answer.text));
        result.insert("exact".to_owned(), json!(answer.exact));
        if answer.is_complex() {
            result.insert("complex".to_owned(), json!(true));
        }
        Ok(Value::Object(result))
    }
}

impl Calculator {
    async fn compute(&self, expression: String) -> Result<evaluate::Answer, ToolError> {
        let stopped = |_| ToolError::Interrupted;
        let permit = Arc::clone(&self.threads)
            .acquire_owned()
            .await
            .map_err(|_| {
                ToolError::Failed("the calculator takes no more expressions".to_owned())
            })?;
        // The computation sees that nobody waits any more by the closed channel, and stops.
        let (reply, answer) = oneshot::channel();
        // The runtime owns the blocking task and waits for it when it shuts down.
        tokio::task::spawn_blocking(move || {
            let result = evaluate::on_large_stack(expression, permit, || reply.is_closed());
            // Failing means that nobody waits any more.
            let _nobody = reply.send(result);
        });
        answer.await.map_err(stopped)?
    }
}
