//! Logs: text for a terminal, JSON otherwise, always to stderr.
//!
//! No line holds what users or models say, or a key, whatever the filter: our own code does not
//! log them, and the libraries that would quote whole messages are kept at `info`.

mod log_level;

use std::error::Error;
use std::io::{IsTerminal, stderr};

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::config::{LogConfig, LogFormat};
pub use log_level::{LogLevel, LogLevelError};

/// Libraries that write frames, headers or bodies below `info`.
const TALKATIVE: &[&str] = &[
    "tungstenite",
    "tokio_tungstenite",
    "h2",
    "hyper",
    "hyper_util",
    "rustls",
];

/// Quotes what plug-ins say, at every level. What matters of it is told by who uses it.
const GOSSIP: &str = "rmcp";

/// Sends the logs of the whole process to stderr.
///
/// # Errors
///
/// If the process has a logger already.
pub fn start(log: &LogConfig) -> Result<LogLevel, TryInitError> {
    let (subscriber, log_level) = subscriber(log, stderr, stderr().is_terminal());
    subscriber.try_init()?;
    Ok(log_level)
}

/// What [`start`] installs, with the writer of the caller's choice.
pub fn subscriber<W>(
    log: &LogConfig,
    writer: W,
    is_terminal: bool,
) -> (impl Subscriber + Send + Sync + use<W>, LogLevel)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let is_text = match log.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let lines = fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match (is_text, is_terminal) {
        // In a terminal there are colours, unless the variable NO_COLOR is set.
        (true, true) => lines.boxed(),
        (true, false) => lines.with_ansi(false).boxed(),
        (false, _) => lines.json().flatten_event(true).boxed(),
    };
    // The filter is valid: the configuration has checked it.
    let (filter, handle) = reload::Layer::new(EnvFilter::new(&log.filter));
    let lines = lines.with_filter(filter.and(filter_fn(is_discreet)));
    let subscriber = tracing_subscriber::registry().with(lines);
    (subscriber, LogLevel::new(handle))
}

/// The text of an error and of everything that caused it, for a log and nobody else.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn is_discreet(event: &Metadata<'_>) -> bool {
    let library = event.target().split("::").next().unwrap_or_default();
    let is_talk = TALKATIVE.contains(&library) && *event.level() > LevelFilter::INFO;
    library != GOSSIP && !is_talk
}

#[cfg(test)]
mod tests {
    use patter_store::StoreError;

    use super::*;

    #[test]
    fn an_error_is_told_with_what_caused_it() {
        let error = StoreError::Unavailable("the disk is full".into());
        let told = with_causes(&error);
        assert_eq!(told, "the database is not available: the disk is full");
    }
}
