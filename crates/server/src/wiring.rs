//! Makes the parts that the configuration names. Nothing else names a concrete store, model or
//! tool.

mod catalog;
mod data_sources;
mod mcp;
mod model;
mod routes;
mod sql_sources;

use std::sync::Arc;

use patter_session::SessionSettings;
use patter_store::{
    Insight, Ledger, Migrate, PostgresOptions, PostgresStore, SessionArchive, SessionStore,
    SpoolOptions, SqliteSpool, SqliteStore, StoreError,
};
use patter_tools::{
    Calculator, DataFetcher, ToolLimits, ToolRegistry, WebClient, WebLimits, WebRules,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::{Config, MigrateMode, ModelTarget, ProviderKind, StoreConfig, StoreTarget};
use crate::error::ServerError;
use crate::telemetry::traces;

pub(crate) use catalog::catalog;
pub(crate) use mcp::Plugins;
pub(crate) use model::Models;
pub(crate) use routes::{check_tools, router, routes};

/// What `store.spool` says where there is to be none.
const NO_SPOOL: &str = "off";

/// Everything that the server asks of its store.
pub(crate) trait Store: SessionStore + SessionArchive + Insight + Ledger {}

impl<S: SessionStore + SessionArchive + Insight + Ledger> Store for S {}

/// Opens the store.
pub(crate) async fn store(config: &Config) -> Result<Arc<dyn Store>, ServerError> {
    let opened: Result<Arc<dyn Store>, StoreError> = match &config.store.target {
        StoreTarget::Sqlite(path) => SqliteStore::open(path)
            .await
            .map(|store| Arc::new(store) as _),
        StoreTarget::Postgres(url) => PostgresStore::connect(postgres_options(url, config))
            .await
            .map(|store| Arc::new(store) as _),
    };
    opened.map_err(|source| ServerError::Store {
        target: describe_store(config),
        source,
    })
}

/// Opens the spool, where the store is one that can be away.
pub(crate) async fn spool(config: &Config) -> Result<Option<SqliteSpool>, ServerError> {
    let StoreConfig {
        target,
        spool,
        spool_max_bytes,
        spool_max_age,
        ..
    } = &config.store;
    if matches!(target, StoreTarget::Sqlite(_)) || spool == NO_SPOOL {
        return Ok(None);
    }
    let options = SpoolOptions {
        directory: spool.into(),
        max_bytes: *spool_max_bytes,
        max_age: *spool_max_age,
    };
    let opened = SqliteSpool::open(options).await;
    opened.map(Some).map_err(|source| ServerError::Spool {
        folder: spool.clone(),
        source,
    })
}

/// Brings the store's tables up to date, and nothing else.
pub(crate) async fn migrate(config: &Config) -> Result<(), ServerError> {
    let migrated = match &config.store.target {
        // Opening it migrates it.
        StoreTarget::Sqlite(path) => match SqliteStore::open(path).await {
            Ok(store) => {
                store.close().await;
                Ok(())
            }
            Err(error) => Err(error),
        },
        StoreTarget::Postgres(url) => PostgresStore::migrate(&postgres_options(url, config)).await,
    };
    migrated.map_err(|source| ServerError::Store {
        target: describe_store(config),
        source,
    })
}

/// Which store it is, for a person, without what is secret about it.
pub(crate) fn describe_store(config: &Config) -> String {
    match &config.store.target {
        StoreTarget::Sqlite(path) => format!("sqlite, {}", path.display()),
        StoreTarget::Postgres(url) => {
            format!(
                "postgres, {}",
                place_of(url).unwrap_or_else(|| "somewhere".to_owned())
            )
        }
    }
}

/// Which model it is, why this one, and who answers where it cannot, for a person.
pub(crate) fn describe_model(config: &Config) -> String {
    let primary = name(&config.primary());
    let mut text = format!("{primary}: {}", config.why_primary());
    let fallbacks: Vec<_> = config.fallbacks().iter().map(name).collect();
    if !fallbacks.is_empty() {
        text.push_str(&format!("\nfallbacks: {}", fallbacks.join(", then ")));
    }
    text
}

fn name(target: &ModelTarget) -> String {
    match target.kind {
        ProviderKind::Demo => "demo".into(),
        ProviderKind::Gemini | ProviderKind::OpenAi => {
            format!("{} of {}", target.model, target.provider)
        }
    }
}

/// The built-in tools that are switched on, and the data sources.
pub(crate) fn tools(config: &Config) -> Result<ToolRegistry, ServerError> {
    let limits = ToolLimits {
        timeout: config.tools.timeout,
        ..ToolLimits::default()
    };
    let is_enabled = |name| config.tools.enabled.iter().any(|enabled| enabled == name);
    let tools = ToolRegistry::new()
        .with_limits(limits)
        .with_traced_content(config.telemetry.record_content);
    for (name, tool) in &config.tool {
        tools.add_policy(name, tool.policy());
    }
    if is_enabled("calculator") {
        tools.add(Calculator::default())?;
    }
    if is_enabled("data_fetcher") {
        tools.add(DataFetcher::default())?;
    }
    data_sources::add(config, &tools)?;
    sql_sources::add(config, &tools)?;
    Ok(tools)
}

/// Who asks the web for tools.
fn web_client(config: &Config) -> Result<WebClient, ServerError> {
    let rules = WebRules {
        ports: config.web.ports.clone(),
        only_hosts: config.web.hosts.clone(),
        denied_hosts: own_hosts(config),
        trusted: config.web.trusted.clone(),
    };
    let client = WebClient::new(rules, WebLimits::default()).map_err(ServerError::Web)?;
    Ok(client.headers(traces::outgoing))
}

/// The hosts of the server and of its databases, for which tools have no business there although they may
/// be public. Supabase has an API beside each database: `REF.supabase.co` for `db.REF.supabase.co`.
fn own_hosts(config: &Config) -> Vec<String> {
    let databases = config.sql_sources.values();
    let databases = databases.filter_map(|source| source.database.as_ref());
    let store = match &config.store.target {
        StoreTarget::Postgres(url) => Some(url),
        StoreTarget::Sqlite(_) => None,
    };
    let urls = store.into_iter().chain(databases);
    let mut hosts: Vec<String> = urls
        .filter_map(|url| {
            Url::parse(url.expose_secret())
                .ok()?
                .host_str()
                .map(str::to_owned)
        })
        .collect();
    let beside: Vec<_> = hosts
        .iter()
        .filter(|host| host.ends_with(".supabase.co"))
        .filter_map(|host| host.strip_prefix("db.").map(str::to_owned))
        .collect();
    hosts.extend(beside);
    hosts.push(config.server.host.clone());
    hosts.push(config.admin.host.clone());
    hosts
}

/// How sessions behave.
pub(crate) fn session_settings(config: &Config) -> SessionSettings {
    let Config {
        session,
        llm,
        limits,
        ..
    } = config;
    let mut settings = SessionSettings::default();
    settings.linger = session.linger;
    settings.lease = config.store.lease;
    settings.sweep_interval = session.sweep_interval;
    settings.max_queued_messages = session.max_queued_messages;
    settings.max_readers = session.max_readers;
    settings.max_steps = session.max_steps;
    settings.max_tool_calls = session.max_tool_calls;
    settings.max_parallel_tools = session.max_parallel_tools;
    settings.turn_timeout = session.turn_timeout;
    settings.summary_timeout = session.summary_timeout;
    settings.max_turns = limits.turns;
    settings.max_turns_of_one = limits.turns_per_user;
    settings.max_output_tokens = llm.max_output_tokens;
    settings.temperature = llm.temperature;
    settings
}

fn postgres_options(url: &SecretString, config: &Config) -> PostgresOptions {
    let mut options = PostgresOptions::new(url.clone());
    options.max_connections = config.store.max_connections;
    options.allow_unsafe_fsync = config.store.allow_unsafe_fsync;
    options.search_language.clone_from(&config.search.language);
    options.allow_plain_text = config.store.allow_plain_text;
    options.migrate = match config.store.migrate {
        MigrateMode::Auto => Migrate::Auto,
        MigrateMode::Check => Migrate::Check,
    };
    options
}

/// Host, port and database of a URL, and not the user or the password.
fn place_of(url: &SecretString) -> Option<String> {
    let url = Url::parse(url.expose_secret()).ok()?;
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    Some(format!("{}{port}{}", url.host_str()?, url.path()))
}
