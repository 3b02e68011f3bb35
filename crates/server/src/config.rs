//! The configuration: what may be set, where it is read from, and what is wrong with it.
//!
//! Layers, the later wins: built-in defaults, the configuration file, `.env`, the environment,
//! the command line. All keys are defined in one table, `config/keys.rs`. Either everything is
//! valid, or every fault is told at once.

mod fault;
mod key;
mod keys;
mod kind;
mod layers;
mod lookup;
mod mask;
mod provider;
pub mod reference;
mod setting;
mod sources;
mod store_target;
mod tree;
mod value;

use serde_json::Value as Json;

pub use fault::{ConfigError, Fault};
pub use provider::{Chosen, DEFAULT_GEMINI_MODEL, DEFAULT_OPENAI_MODEL, ProviderKind};
pub use setting::Setting;
pub use sources::Sources;
pub use store_target::StoreTarget;
pub use tree::{
    AccountConfig, Config, DemoConfig, LlmConfig, LogConfig, LogFormat, ProviderConfig,
    ServerConfig, SessionConfig, StoreConfig, ToolsConfig,
};
pub use value::Origin;

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
        complete_providers(&mut layers);
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
        layers
            .faults
            .extend(provider::check(&layers.values, &layers.variables));
        if !layers.faults.is_empty() {
            return Err(ConfigError {
                faults: layers.faults,
            });
        }
        insert_provider_keys(&mut tree, &layers);
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

    /// What `patter config` prints: a line for each of [`Config::settings`].
    #[must_use]
    pub fn describe(&self) -> String {
        setting::describe(&self.settings)
    }
}

/// Gives each `[providers.NAME]` the defaults that it leaves open.
fn complete_providers(layers: &mut Layers) {
    for name in provider::names(&layers.values) {
        for key in lookup::all().filter(|key| key.is_pattern()) {
            if let Some(default) = key.default {
                let path = key.named_as_in(&format!("providers.{name}"));
                let value = Value::Text(default.into());
                let given = Given {
                    value,
                    origin: Origin::Default,
                };
                layers.values.entry(path).or_insert(given);
            }
        }
    }
}

/// Puts the value of the variable that `api_key_env` names beside it.
fn insert_provider_keys(tree: &mut serde_json::Map<String, Json>, layers: &Layers) {
    for name in provider::names(&layers.values) {
        let above = format!("providers.{name}");
        let variable = layers.values.get(&format!("{above}.api_key_env"));
        let key = variable.and_then(|given| layers.variables.get(given.value.to_string().trim()));
        if let Some(key) = key {
            insert(
                tree,
                &format!("{above}.api_key"),
                Json::String(key.trim().to_owned()),
            );
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

/// All keys that have a value, and those without one, in the order of the table.
fn settings(layers: &Layers) -> Vec<Setting> {
    let mut settings = Vec::new();
    for key in lookup::all() {
        let given: Vec<_> = layers
            .values
            .iter()
            .filter(|(path, _)| key.defines(path))
            .collect();
        if given.is_empty() && !key.is_pattern() {
            let key = key.path.to_owned();
            settings.push(Setting {
                key,
                value: None,
                origin: Origin::Default,
            });
        }
        settings.extend(given.into_iter().map(|(path, given)| Setting {
            key: path.clone(),
            value: Some(key.kind.show(&given.value)),
            origin: given.origin.clone(),
        }));
    }
    settings
}
