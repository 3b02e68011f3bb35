//! The configuration as typed values, section by section. The names of the fields are those of
//! the keys; `config/keys.rs` says what each may hold, and a test holds the two together.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use patter_llm::{Api, ReasoningEffort, Route, SchemaForm};
use secrecy::SecretString;
use serde::Deserialize;

use super::auth::{AuthConfig, TokenConfig};
use super::budgets::BudgetsConfig;
use super::data_source::{DataSourceConfig, SqlSourceConfig, WebConfig};
use super::limits::LimitsConfig;
use super::model_name::ModelName;
use super::operations::{AdminConfig, LogConfig, TelemetryConfig};
use super::provider::ProviderKind;
use super::retention::RetentionConfig;
use super::routes::{ClassifierConfig, RouteConfig};
use super::setting::Setting;
use super::store_target::StoreTarget;
use super::tool::{McpConfig, ToolConfig};

/// A whole, valid configuration. Secrets in it do not print.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The server.
    pub server: ServerConfig,
    /// Who is let in.
    pub auth: AuthConfig,
    /// `[tokens.NAME]`, by NAME.
    #[serde(default)]
    pub tokens: BTreeMap<String, TokenConfig>,
    /// What one caller may take.
    pub limits: LimitsConfig,
    /// The store.
    pub store: StoreConfig,
    /// Search.
    pub search: SearchConfig,
    /// The model; see [`Config::primary`].
    pub llm: LlmConfig,
    /// Google's provider.
    pub gemini: GeminiConfig,
    /// OpenAI's provider.
    #[serde(default)]
    pub openai: OpenAiConfig,
    /// `[providers.NAME]`, by NAME.
    #[serde(default)]
    pub providers: BTreeMap<String, ProviderConfig>,
    /// `[[models]]`.
    #[serde(default)]
    pub models: Vec<ModelConfig>,
    /// `[[routes]]`, in order.
    #[serde(default)]
    pub routes: Vec<Route<RouteConfig>>,
    /// The model that may be asked which route to take.
    pub classifier: ClassifierConfig,
    /// The demo model.
    pub demo: DemoConfig,
    /// Sessions.
    pub session: SessionConfig,
    /// What may be spent.
    pub budgets: BudgetsConfig,
    /// What is deleted when.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// Tools.
    pub tools: ToolsConfig,
    /// `[data_sources.NAME]`, by NAME.
    #[serde(default)]
    pub data_sources: BTreeMap<String, DataSourceConfig>,
    /// `[sql_sources.NAME]`, by NAME.
    #[serde(default)]
    pub sql_sources: BTreeMap<String, SqlSourceConfig>,
    /// `[tool.NAME]`, by the name of the tool.
    #[serde(default)]
    pub tool: BTreeMap<String, ToolConfig>,
    /// `[mcp.NAME]`, by NAME.
    #[serde(default)]
    pub mcp: BTreeMap<String, McpConfig>,
    /// The web that tools may ask.
    pub web: WebConfig,
    /// Logs.
    pub log: LogConfig,
    /// Traces.
    pub telemetry: TelemetryConfig,
    /// The admin port.
    pub admin: AdminConfig,
    #[serde(skip)]
    pub(super) settings: Vec<Setting>,
}

/// Where the server listens, and how much it takes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Address or host name to listen on.
    pub host: String,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// Connections at the same time.
    pub max_connections: usize,
    /// The origins whose pages may use the HTTP API and WebSockets.
    pub cors_origins: Vec<String>,
    /// Proxies that are believed about where requests come from.
    pub trusted_proxies: Vec<IpNet>,
    /// Names by which it may be asked.
    pub hosts: Vec<String>,
    /// Where browsers find it.
    pub public_url: Option<String>,
    /// File with its certificate.
    pub tls_certificate: Option<String>,
    /// File with the key of that.
    pub tls_key: Option<String>,
    /// How long the server serves on after SIGTERM, already saying that it is not ready.
    pub drain_delay: Duration,
    /// How long answers in flight may take to finish at the end.
    pub drain_timeout: Duration,
}

/// Where sessions are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreConfig {
    /// Which store, and where.
    #[serde(rename = "url")]
    pub target: StoreTarget,
    /// Connections to Postgres at the same time.
    pub max_connections: u32,
    /// How long a process may be silent before another one takes its sessions over.
    pub lease: Duration,
    /// Whether a Postgres server may be used that does not sync to disk.
    pub allow_unsafe_fsync: bool,
    /// What is done about the tables of Postgres at the start.
    pub migrate: MigrateMode,
    /// Whether Postgres on another machine may be spoken to without TLS.
    pub allow_plain_text: bool,
    /// The folder where events are safe while Postgres is away, or `off`.
    pub spool: String,
    /// Bytes of events in it from which on no new message is taken.
    pub spool_max_bytes: u64,
    /// How long it may have something in it before no new message is taken.
    pub spool_max_age: Duration,
}

/// What is done about the tables of Postgres at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MigrateMode {
    /// They are brought up to date.
    Auto,
    /// They must be up to date.
    Check,
}

/// How what was said is searched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SearchConfig {
    /// A text search configuration of Postgres.
    pub language: String,
}

/// What is asked of the model, and how patiently.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LlmConfig {
    /// `auto`, `gemini`, `openai`, `demo`, or one of [`Config::providers`].
    pub provider: String,
    /// The model, if not the provider's default.
    pub model: Option<String>,
    /// Who answers where that model cannot, in order; see [`Config::fallbacks`].
    #[serde(default)]
    pub fallbacks: Vec<ModelName>,
    /// What the model is told before everything.
    pub system_prompt: String,
    /// Tokens of one step of an answer.
    pub max_output_tokens: Option<u32>,
    /// Sampling temperature.
    pub temperature: Option<f32>,
    /// How much a model is to think.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// How often a request that failed before its first token is tried again.
    pub retries: usize,
    /// Longest wait before such a try.
    pub retry_max_wait: Duration,
    /// For a connection.
    pub connect_timeout: Duration,
    /// From the request to the head of the answer.
    pub headers_timeout: Duration,
    /// From the head of the answer to its first piece.
    pub first_token_timeout: Duration,
    /// From one piece of the answer to the next.
    pub next_token_timeout: Duration,
    /// From the request to the end of one step of the answer.
    pub answer_timeout: Duration,
}

/// How Gemini is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GeminiConfig {
    /// The key.
    pub api_key: Option<SecretString>,
    /// Where the API is, if not at its usual place.
    pub base_url: Option<String>,
    /// How tools are described to it.
    pub tool_schema: SchemaForm,
}

/// How OpenAI is reached.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OpenAiConfig {
    /// The key.
    pub api_key: Option<SecretString>,
    /// Where the API is, if not at its usual place.
    pub base_url: Option<String>,
    /// Which of its APIs.
    pub api: Option<Api>,
}

/// A provider that the user set up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProviderConfig {
    /// What it speaks: never [`ProviderKind::Demo`].
    pub kind: ProviderKind,
    /// Where it is.
    pub base_url: String,
    /// Its model.
    pub model: String,
    /// Which API of OpenAI, where it speaks one.
    pub api: Option<Api>,
    /// How tools are described to it, where it speaks Gemini's API.
    pub tool_schema: Option<SchemaForm>,
    /// The variable that holds its key.
    pub api_key_env: Option<String>,
    /// What that variable held.
    pub api_key: Option<SecretString>,
}

/// What is known about a model, where it is not what the built-in table says. Prices are in USD
/// for a million tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelConfig {
    /// Whose model it is.
    pub provider: String,
    /// The model.
    pub name: String,
    /// Tokens of a request and its answer together.
    pub context_window: Option<u64>,
    /// Tokens of an answer.
    pub max_output_tokens: Option<u64>,
    /// Price of the request; never without the next one.
    pub input_price: Option<f64>,
    /// Price of the answer.
    pub output_price: Option<f64>,
    /// Price of that part of the request which the provider had cached.
    pub cached_input_price: Option<f64>,
}

/// How the demo model behaves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DemoConfig {
    /// Pause before each piece of an answer.
    #[serde(rename = "delay_ms")]
    pub delay: Duration,
}

/// The limits of a session; `patter_session::SessionSettings` tells more of each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SessionConfig {
    /// How long a session waits for its client to come back.
    pub linger: Duration,
    /// How often it is looked for sessions that nobody runs.
    pub sweep_interval: Duration,
    /// Whether clients may begin sessions under ids of their own; `None`: unless they are strangers whose ids
    /// could be guessed.
    pub client_ids: Option<bool>,
    /// Messages that may wait behind the answer in flight.
    pub max_queued_messages: usize,
    /// Connections attached to one session at the same time.
    pub max_readers: usize,
    /// Calls of the model in one answer.
    pub max_steps: usize,
    /// Calls of tools in one answer.
    pub max_tool_calls: usize,
    /// Tools of one step that run at the same time.
    pub max_parallel_tools: usize,
    /// How long one answer may take.
    pub turn_timeout: Duration,
    /// How long the summary may take.
    pub summary_timeout: Duration,
}

/// Which tools there are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ToolsConfig {
    /// Names of built-in tools: `calculator`, `data_fetcher`.
    pub enabled: Vec<String>,
    /// How long one call may take.
    pub timeout: Duration,
}
