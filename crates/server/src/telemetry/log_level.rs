//! What is logged, changed while the process runs. Libraries that would quote messages stay where they
//! are kept, whatever is asked for.

use tracing_subscriber::{EnvFilter, Registry, reload};

/// Longer filters are nobody's.
const MAX_BYTES: usize = 4096;

/// Says what a process logs, and changes it. Cloning gives another handle of the same logger.
#[derive(Debug, Clone)]
pub struct LogLevel {
    filter: reload::Handle<EnvFilter, Registry>,
}

/// Why a filter was not taken.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LogLevelError {
    /// It says nothing, or has a directive that is none.
    #[error("expected directives such as `info` or `info,patter_session=debug`: {0}")]
    Invalid(String),
    /// The logger is not there any more.
    #[error("the logger is gone")]
    Gone,
}

impl LogLevel {
    pub(super) fn new(filter: reload::Handle<EnvFilter, Registry>) -> Self {
        Self { filter }
    }

    /// The filter that is in force, in a form of its own: the most special directives first.
    ///
    /// # Errors
    ///
    /// [`LogLevelError::Gone`].
    pub fn filter(&self) -> Result<String, LogLevelError> {
        self.filter
            .with_current(ToString::to_string)
            .map_err(|_gone| LogLevelError::Gone)
    }

    /// Logs by this filter from now on. It is not kept: a restart begins with the configuration.
    ///
    /// # Errors
    ///
    /// [`LogLevelError`]; then everything is as it was.
    pub fn set(&self, filter: &str) -> Result<(), LogLevelError> {
        let filter = parse(filter).map_err(LogLevelError::Invalid)?;
        self.filter
            .reload(filter)
            .map_err(|_gone| LogLevelError::Gone)
    }
}

fn parse(filter: &str) -> Result<EnvFilter, String> {
    if filter.trim().is_empty() {
        return Err("there is none".to_owned());
    }
    if filter.len() > MAX_BYTES {
        return Err(format!("there are more than {MAX_BYTES} bytes"));
    }
    let filter = EnvFilter::builder().parse(filter);
    filter.map_err(|error| error.to_string())
}
