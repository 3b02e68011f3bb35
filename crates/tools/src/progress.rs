//! How far a call is, told while it runs to whoever wants to know.

use std::fmt;
use std::sync::Arc;

/// How far a call is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// How much is done, in whichever unit; it grows.
    pub done: f64,
    /// How much there is to do, where that is known.
    pub total: Option<f64>,
    /// What is being done, in a few words.
    pub message: Option<String>,
}

/// Takes how far a call is; by default nobody listens. Cloning it is cheap.
#[derive(Clone, Default)]
pub struct ToolProgress {
    listener: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

impl ToolProgress {
    /// Has `listener` told. It must not block, and what is told too fast for it, it must leave out.
    pub fn new(listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self {
            listener: Some(Arc::new(listener)),
        }
    }

    /// Tells how far the call is. Numbers that are none (infinite, or not a number) are left out.
    pub fn tell(&self, done: f64, total: Option<f64>, message: Option<String>) {
        if let Some(listener) = &self.listener
            && done.is_finite()
        {
            listener(Progress {
                done,
                total: total.filter(|it| it.is_finite()),
                message,
            });
        }
    }
}

impl fmt::Debug for ToolProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolProgress").finish_non_exhaustive()
    }
}
