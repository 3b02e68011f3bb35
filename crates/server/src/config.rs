//! The configuration: what may be set, where it is read from, and what is wrong with it.
//!
//! Layers, the later wins: built-in defaults, the configuration file, `.env`, the environment,
//! the command line. All keys are defined in one table, `config/keys.rs`. Either everything is
//! valid, or every fault is told at once.

mod auth;
mod budgets;
mod check;
mod data_source;
mod fault;
mod key;
mod keys;
mod kind;
mod layers;
mod limits;
mod lookup;
mod mask;
mod model_name;
mod operations;
mod provider;
pub mod reference;
mod retention;
mod routes;
pub(crate) mod secret_headers;
mod setting;
mod sources;
mod store_target;
mod tool;
mod tree;
mod value;

use serde_json::Value as Json;

pub use auth::{AuthConfig, AuthMode, SubjectRule, TokenConfig, TokenScope};
pub use budgets::BudgetsConfig;
pub use data_source::{DataSourceConfig, SourceMethod, SqlSourceConfig, WebConfig};
pub use fault::{ConfigError, Fault};
pub use limits::LimitsConfig;
pub use model_name::ModelName;
pub use operations::{AdminConfig, LogConfig, LogFormat, TelemetryConfig};
pub use provider::{ModelTarget, ProviderKind};
pub use retention::RetentionConfig;
pub use routes::{ClassifierConfig, RouteConfig};
pub use setting::Setting;
pub use sources::Sources;
pub use store_target::StoreTarget;
pub use tool::{McpConfig, ToolConfig};
pub use tree::{
    Config, DemoConfig, GeminiConfig, LlmConfig, MigrateMode, ModelConfig, OpenAiConfig,
    ProviderConfig, ServerConfig, SessionConfig, StoreConfig, ToolsConfig,
};
pub use value::Origin;

pub(crate) use kind::{ANY_HOST, is_provider_name as is_table_name};
use layers::Layers;
use value::{Given, Value};

impl Config {
    /// Reads the sources and checks everything.
    ///
    /// # Errors
    ///
    /// Every fault there is: files that cannot be read, keys that do not exist, values that
    /// their keys do not take, and providers that lack what they need.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut layers = layers::read(sources);
        complete_tables(&mut layers);
        let mut tree = serde_json::Map::new();
        for (path, given) in &layers.values {
            // Every path in the layers has a definition.
            let Some(key) = lookup::find(path) else {
                continue;
            };
            match key.kind.parse(&given.value) {
                Some(value) => insert(&mut tree, path, value),
                None => layers.faults.push(Fault {
                    subject: path.clone(),
                    value: Some(key.kind.show(&given.value)),
                    origin: Some(given.origin.clone()),
                    problem: format!("expected {}", key.kind.expected()),
                }),
            }
        }
        for list in lookup::lists() {
            make_list(&mut tree, list);
        }
        let between_keys = check::check(&layers, &tree);
        layers.faults.extend(between_keys);
        if !layers.faults.is_empty() {
            return Err(ConfigError {
                faults: layers.faults,
            });
        }
        insert_secrets(&mut tree, &layers);
        insert_environments(&mut tree, &layers);
        let mut config = serde_json::from_value::<Self>(Json::Object(tree))
            .map_err(|error| broken_table(&error))?;
        config.settings = settings(&layers);
        Ok(config)
    }

    /// Every key, with its value as it may be shown and where that came from.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Whether somebody set the key: a default is nobody's.
    pub(crate) fn is_set(&self, key: &str) -> bool {
        let is_given = |setting: &&Setting| setting.key == key && setting.origin != Origin::Default;
        self.settings.iter().any(|setting| is_given(&setting))
    }

    /// What `patter config` prints: a line for each of [`Config::settings`].
    #[must_use]
    pub fn describe(&self) -> String {
        setting::describe(&self.settings)
    }
}

/// Tables under which the user names further ones; the key of such a one that names a variable, and what
/// the value of that variable is called.
const NAMED: [(&str, &str, &str); 4] = [
    ("providers", "api_key_env", "api_key"),
    ("data_sources", "secret_env", "secret"),
    ("mcp", "secret_env", "secret"),
    ("sql_sources", "database_env", "database"),
];

/// Gives each table that the user named the defaults that it leaves open.
fn complete_tables(layers: &mut Layers) {
    for above in NAMED
        .map(|(above, _, _)| above)
        .into_iter()
        .chain(["tokens"])
    {
        for name in check::names_under(&layers.values, above) {
            complete(layers, &format!("{above}.{name}"));
        }
    }
}

fn complete(layers: &mut Layers, table: &str) {
    for key in lookup::all().filter(|key| key.is_within(table)) {
        if let Some(default) = key.default {
            let path = key.named_as_in(table);
            let value = Value::Text(default.into());
            let given = Given {
                value,
                origin: Origin::Default,
            };
            layers.values.entry(path).or_insert(given);
        }
    }
}

/// Puts the values of variables beside the keys that name them.
fn insert_secrets(tree: &mut serde_json::Map<String, Json>, layers: &Layers) {
    for (above, naming, value) in NAMED {
        for name in check::names_under(&layers.values, above) {
            let table = format!("{above}.{name}");
            let variable = layers.values.get(&format!("{table}.{naming}"));
            let variable = variable.map(|given| given.value.to_string());
            let secret = variable.and_then(|it| layers.variables.get(it.trim()));
            if let Some(secret) = secret {
                let secret = Json::String(secret.trim().to_owned());
                insert(tree, &format!("{table}.{value}"), secret);
            }
        }
    }
}

/// Puts the values of variables that plug-ins get beside their names; one that is not set is missed when
/// the plug-in is set up.
fn insert_environments(tree: &mut serde_json::Map<String, Json>, layers: &Layers) {
    for name in check::names_under(&layers.values, "mcp") {
        let table = format!("mcp.{name}");
        let wanted = layers.values.get(&format!("{table}.env"));
        let wanted = wanted.map(|given| given.value.items()).unwrap_or_default();
        for variable in wanted {
            if let Some(value) = layers.variables.get(variable) {
                let path = format!("{table}.environment.{variable}");
                insert(tree, &path, Json::String(value.clone()));
            }
        }
    }
}

fn insert(tree: &mut serde_json::Map<String, Json>, path: &str, value: Json) {
    match path.split_once('.') {
        None => {
            tree.insert(path.to_owned(), value);
        }
        Some((above, rest)) => {
            let inner = tree
                .entry(above)
                .or_insert_with(|| Json::Object(serde_json::Map::new()));
            if let Json::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// Turns `{"0": ..., "1": ...}` into a list.
fn make_list(tree: &mut serde_json::Map<String, Json>, name: &str) {
    if let Some(Json::Object(places)) = tree.remove(name) {
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_by_key(|(place, _)| place.parse::<usize>().ok());
        let items = places.into_iter().map(|(_, item)| item).collect();
        tree.insert(name.to_owned(), Json::Array(items));
    }
}

/// The table of keys and the typed tree do not match: a defect, which the tests would find.
fn broken_table(error: &serde_json::Error) -> ConfigError {
    let problem = format!("cannot be read, although each value is valid: {error}");
    let fault = Fault {
        subject: "the configuration".into(),
        value: None,
        origin: None,
        problem,
    };
    ConfigError {
        faults: vec![fault],
    }
}

/// All keys that have a value, and those without one, in the order of the table; what the user
/// named or counted stands together.
fn settings(layers: &Layers) -> Vec<Setting> {
    let mut settings = Vec::new();
    for section in keys::SECTIONS {
        let mut chosen = Vec::new();
        for key in section.keys {
            let given = layers.values.iter().filter(|(path, _)| key.defines(path));
            let given: Vec<_> = given
                .map(|(path, given)| {
                    let setting = Setting {
                        key: path.clone(),
                        value: Some(key.kind.show(&given.value)),
                        origin: given.origin.clone(),
                    };
                    (key.chosen_in(path), setting)
                })
                .collect();
            if given.is_empty() && !key.is_pattern() {
                let setting = Setting {
                    key: key.path.to_owned(),
                    value: None,
                    origin: Origin::Default,
                };
                chosen.push((None, setting));
            }
            chosen.extend(given);
        }
        chosen.sort_by_key(|(name, _)| (name.and_then(|name| name.parse::<usize>().ok()), *name));
        settings.extend(chosen.into_iter().map(|(_, setting)| setting));
    }
    settings
}
