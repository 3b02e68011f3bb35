//! Data sources, each of which is a tool, and the web that tools may ask.

use std::collections::BTreeMap;
use std::time::Duration;

use patter_tools::Approval;
use secrecy::SecretString;
use serde::Deserialize;

/// A URL that a model may ask, or a file; [`patter_tools::HttpSourceOptions`] and
/// [`patter_tools::FileSource`] tell more.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DataSourceConfig {
    /// Where it is: a URL with places for parameters, or `file:PATH`.
    pub url: String,
    /// What it has, for the model.
    pub description: String,
    /// What each parameter is, for the model.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// How it is asked.
    pub method: SourceMethod,
    /// Which calls wait until a person agrees.
    pub approval: Approval,
    /// The part of a JSON answer that is wanted.
    pub pointer: Option<String>,
    /// How long an answer may be given again.
    pub cache: Duration,
    /// The variable that holds the secret.
    pub secret_env: Option<String>,
    /// The header that says it.
    pub secret_header: String,
    /// What that variable held.
    pub secret: Option<SecretString>,
}

/// How a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceMethod {
    /// By GET.
    Get,
    /// By POST, with a JSON object.
    Post,
}

/// A query of a PostgreSQL database; [`patter_store::PostgresQuery`] tells more.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SqlSourceConfig {
    /// The query, with places for parameters.
    pub query: String,
    /// What it has, for the model.
    pub description: String,
    /// What each parameter is, for the model.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The variable that holds the URL of the database.
    pub database_env: String,
    /// What that variable held.
    pub database: Option<SecretString>,
    /// Which calls wait until a person agrees.
    pub approval: Approval,
    /// The most rows that are given.
    pub max_rows: usize,
    /// How long the database may work at it.
    pub timeout: Duration,
}

/// Whom tools may ask.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WebConfig {
    /// At these ports.
    pub ports: Vec<u16>,
    /// Only these hosts, if there are any.
    pub hosts: Vec<String>,
    /// Hosts and ports that may be asked in any case.
    pub trusted: Vec<String>,
}
