//! How much a model is to think before it answers.

use std::fmt;

use serde::Deserialize;

/// How much a model is to think. Each model knows some of these; a backend sends the nearest that
/// the model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningEffort {
    /// Not at all, where the model can do without.
    None,
    /// Hardly.
    Minimal,
    /// Little.
    Low,
    /// As the makers of most models have it.
    Medium,
    /// Much.
    High,
    /// Very much.
    XHigh,
}

impl ReasoningEffort {
    /// The word that the providers use.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
        }
    }
}

impl fmt::Display for ReasoningEffort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
