//! What others see of the process. Logs: text for a terminal, JSON otherwise, always to stderr; and
//! [traces], if they are switched on.
//!
//! No line holds what users or models say, a key or SQL, whatever the filter: our own code does not
//! log them, the libraries that would quote whole messages are kept at `info`, and what looks like a key
//! all the same is [masked](scrub).

mod log_level;
mod scrub;
pub(crate) mod traces;

use std::error::Error;
use std::io::{IsTerminal, stderr};

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::config::{Config, LogConfig, LogFormat};
use crate::error::ServerError;
pub use log_level::{LogLevel, LogLevelError};
use scrub::Scrubbed;
use traces::Traces;

type Lines = Box<dyn Layer<Registry> + Send + Sync>;

/// Libraries that write frames, headers or bodies below `info`.
const TALKATIVE: &[&str] = &[
    "tungstenite",
    "tokio_tungstenite",
    "h2",
    "hyper",
    "hyper_util",
    "rustls",
];

/// They quote what plug-ins say, SQL, and parameters of the database's URL that they do not know, at every
/// level. What matters of it is told by who uses them.
const GOSSIPS: &[&str] = &["rmcp", "sqlx::query", "sqlx_postgres::options::parse"];

/// What [`start`] has started.
#[derive(Debug)]
pub struct Telemetry {
    log_level: LogLevel,
    traces: Option<Traces>,
}

impl Telemetry {
    /// Changes what is logged.
    #[must_use]
    pub fn log_level(&self) -> &LogLevel {
        &self.log_level
    }

    /// Sends the traces that wait: the last thing to do before the process ends. Takes a few seconds at
    /// the most.
    pub async fn shutdown(&self) {
        if let Some(traces) = &self.traces {
            traces.shutdown().await;
        }
    }
}

/// Sends the logs of the whole process to stderr, and its traces to where the configuration says. To be
/// called within a tokio runtime.
///
/// # Errors
///
/// [`ServerError::Logger`] if the process has a logger already, [`ServerError::Traces`] where the system
/// has no usable TLS.
pub fn start(config: &Config) -> Result<Telemetry, ServerError> {
    let (lines, log_level) = lines(&config.log, stderr, stderr().is_terminal());
    let mut layers = vec![lines];
    let mut traces = None;
    if let Some(endpoint) = &config.telemetry.otlp_endpoint {
        let started = traces::start(&config.telemetry, endpoint);
        let (layer, started) = started.map_err(ServerError::Traces)?;
        layers.push(layer.boxed());
        traces = Some(started);
    }
    let subscriber = tracing_subscriber::registry().with(layers);
    subscriber.try_init().map_err(ServerError::Logger)?;
    Ok(Telemetry { log_level, traces })
}

/// What [`start`] installs for the logs, with the writer of the caller's choice.
pub fn subscriber<W>(
    log: &LogConfig,
    writer: W,
    is_terminal: bool,
) -> (impl Subscriber + Send + Sync + use<W>, LogLevel)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (lines, log_level) = lines(log, writer, is_terminal);
    (tracing_subscriber::registry().with(lines), log_level)
}

fn lines<W>(log: &LogConfig, writer: W, is_terminal: bool) -> (Lines, LogLevel)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let is_text = match log.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let lines = fmt::layer().with_writer(Scrubbed {
        writer,
        has_colours: is_text && is_terminal,
    });
    let lines: Lines = match (is_text, is_terminal) {
        // In a terminal there are colours, unless the variable NO_COLOR is set.
        (true, true) => lines.boxed(),
        (true, false) => lines.with_ansi(false).boxed(),
        (false, _) => lines.json().flatten_event(true).boxed(),
    };
    // The filter is valid: the configuration has checked it.
    let (filter, handle) = reload::Layer::new(EnvFilter::new(&log.filter));
    // Without the hint nothing would say how much is logged at most, and every line that a library does not
    // write would cost a question to all filters: the WebSocket has ten for each token.
    let discreet = filter_fn(is_discreet).with_max_level_hint(LevelFilter::TRACE);
    let lines = lines.with_filter(filter.and(discreet));
    (lines.boxed(), LogLevel::new(handle))
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
    let target = event.target();
    let library = target.split("::").next().unwrap_or_default();
    let is_talk = TALKATIVE.contains(&library) && *event.level() > LevelFilter::INFO;
    let is_gossip = GOSSIPS.contains(&library) || GOSSIPS.contains(&target);
    !is_gossip && !is_talk && !traces::is_traced(event)
}

#[cfg(test)]
mod tests {
    use patter_store::StoreError;

    use super::*;

    #[test]
    fn it_is_known_how_much_is_logged_at_most() {
        let subscriber_of = |filter: &str| {
            let log = LogConfig {
                format: LogFormat::Json,
                filter: filter.to_owned(),
            };
            subscriber(&log, std::io::sink, false).0
        };
        for (filter, most) in [
            ("info", LevelFilter::INFO),
            ("warn,patter_session=debug", LevelFilter::DEBUG),
        ] {
            assert_eq!(subscriber_of(filter).max_level_hint(), Some(most));
        }
    }

    #[test]
    fn an_error_is_told_with_what_caused_it() {
        let error = StoreError::Unavailable("the disk is full".into());
        let told = with_causes(&error);
        assert_eq!(told, "the database is not available: the disk is full");
    }
}
