//! Logs, traces and the admin port, as the configuration has them.

use secrecy::SecretString;
use serde::Deserialize;

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LogConfig {
    /// How it is written.
    pub format: LogFormat,
    /// Directives of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text for a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}

/// Whether traces are made, and where they go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TelemetryConfig {
    /// Base URL of the collector; without it there are no traces.
    pub otlp_endpoint: Option<String>,
    /// Headers for it, as in `OTEL_EXPORTER_OTLP_HEADERS`.
    pub otlp_headers: Option<SecretString>,
    /// What the collector is told that this is.
    pub service_name: String,
    /// Which part of the traces that begin here is recorded, from 0 to 1.
    pub sample_ratio: f64,
    /// Whether they hold what users, models and tools say.
    pub record_content: bool,
}

/// Where the admin port is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AdminConfig {
    /// Its port, if there is to be one; 0 takes any free one.
    pub port: Option<u16>,
    /// Its address or host name.
    pub host: String,
    /// Whether that may be something else than this machine alone.
    pub allow_remote: bool,
}
