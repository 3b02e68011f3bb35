//! Runs fend where it can do no harm: on a thread of its own with a large stack, for a short time.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use fend_core::Interrupt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::rounding;
use crate::ToolError;

/// What the expressions that are let in need at most is far below this, also in debug builds.
/// It is address space: memory is used only as the stack grows.
const STACK_BYTES: usize = 64 * 1024 * 1024;
const TIME_LIMIT: Duration = Duration::from_millis(200);
/// So long is a computation waited for that does not heed the limit.
const PATIENCE: Duration = Duration::from_secs(2);
/// So often is it looked whether anybody still waits.
const LOOK_AROUND: Duration = Duration::from_millis(20);
/// Longer values help nobody: a model cannot use them.
const MAX_ANSWER_BYTES: usize = 4096;

/// The value of an expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The value as fend writes it.
    pub(super) text: String,
    /// Whether the text is the value itself, or the value rounded.
    pub(super) exact: bool,
}

/// Evaluates on a new thread with a large stack, and blocks for its answer, which
/// `is_abandoned` can hasten. `permit` is held until the thread has ended.
///
/// A computation that fend cannot interrupt is left to itself after [`PATIENCE`], so that it
/// does not keep a runtime from shutting down; the permits bound how many of them there are.
pub(super) fn on_large_stack(
    expression: String,
    permit: OwnedSemaphorePermit,
    is_abandoned: impl Fn() -> bool,
) -> Result<Answer, ToolError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let stop = Arc::new(AtomicBool::new(false));
    let computation = Computation {
        expression,
        started: Instant::now(),
        stop: Arc::clone(&stop),
    };
    thread::Builder::new()
        .name("calculator".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let answer = panic::catch_unwind(AssertUnwindSafe(|| computation.evaluate()));
            drop(permit);
            // Failing means that nobody waits any more.
            let _nobody = sender.send(answer);
        })
        .map_err(|error| ToolError::Failed(format!("no thread could be started: {error}")))?;
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        match receiver.recv_timeout(LOOK_AROUND) {
            Ok(Ok(answer)) => return answer,
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                return Err(ToolError::Failed(
                    "the expression cannot be computed".to_owned(),
                ));
            }
            Err(RecvTimeoutError::Timeout) => {
                stop.fetch_or(is_abandoned(), Ordering::Relaxed);
            }
        }
    }
    Err(ToolError::Timeout { limit: PATIENCE })
}

/// What the thread does.
struct Computation {
    expression: String,
    started: Instant,
    /// Nobody waits any more.
    stop: Arc<AtomicBool>,
}

/// The clock is the real one: the thread belongs to no runtime.
impl Interrupt for Computation {
    fn should_interrupt(&self) -> bool {
        self.started.elapsed() >= TIME_LIMIT || self.stop.load(Ordering::Relaxed)
    }
}

impl Computation {
    fn evaluate(&self) -> Result<Answer, ToolError> {
        evaluate(&self.expression, self)
    }
}

impl Answer {
    /// Whether the value has an imaginary part.
    pub(super) fn is_complex(&self) -> bool {
        let before = self.text.strip_suffix('i');
        before.is_some_and(|before| {
            before.is_empty()
                || before.ends_with(|it: char| it.is_ascii_digit() || it == '-' || it == ' ')
        })
    }
}

/// Evaluates, and rounds what is not exact.
fn evaluate(expression: &str, stop: &impl Interrupt) -> Result<Answer, ToolError> {
    let mut answer = evaluate_once(expression, stop)?;
    if let (false, Some(decimals)) = (answer.exact, rounding::decimals(&answer.text)) {
        let digits = decimals + rounding::MORE_DIGITS;
        let precise = evaluate_once(&format!("({expression}) to {digits} dp"), stop);
        let rounded = precise
            .ok()
            .and_then(|it| rounding::round(&it.text, decimals));
        answer.text = rounded.unwrap_or(answer.text);
    }
    Ok(answer)
}

fn evaluate_once(expression: &str, stop: &impl Interrupt) -> Result<Answer, ToolError> {
    let mut context = fend_core::Context::new();
    let result = match fend_core::evaluate_with_interrupt(expression, &mut context, stop) {
        Ok(result) => result,
        Err(_) if stop.should_interrupt() => {
            return Err(ToolError::Failed(format!(
                "the expression takes longer than {} ms to compute: use smaller numbers",
                TIME_LIMIT.as_millis()
            )));
        }
        Err(reason) => {
            return Err(ToolError::Failed(format!(
                "the expression cannot be computed: {reason}"
            )));
        }
    };
    let text = result.get_main_result();
    // A function, or a name that stands for itself.
    let is_no_value =
        text.starts_with('\\') || (text == expression.trim() && text != "i" && !has_digit(text));
    if text.is_empty() || is_no_value {
        return Err(ToolError::Failed(
            "the expression has no value: is it complete?".to_owned(),
        ));
    }
    if text.len() > MAX_ANSWER_BYTES {
        return Err(ToolError::TooLarge {
            bytes: text.len(),
            limit: MAX_ANSWER_BYTES,
        });
    }
    let (text, exact) = match text.strip_prefix("approx. ") {
        Some(rounded) => (rounded, false),
        None => (text, true),
    };
    // fend makes 2^64 of a float's infinity, as in `cosh(99999)`.
    if !exact
        && text
            .trim_start_matches('-')
            .starts_with("18446744073709551616")
    {
        return Err(ToolError::Failed("the value is out of range".to_owned()));
    }
    Ok(Answer {
        text: text.to_owned(),
        exact,
    })
}

fn has_digit(text: &str) -> bool {
    text.contains(|it: char| it.is_ascii_digit())
}
