//! Configurations as operators may write them: any keys with any values in any layer, and a secret somewhere.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::fs;
use std::path::Path;

use bolero::{Driver, ValueGenerator, one_value_of};
use patter_server::config::{Config, Sources};
use serde_json::json;

/// Stands in the middle of each secret.
pub(crate) const CANARY: &str = "hush-hush";

/// Where something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// The file, as a text.
    Text,
    /// The file, as it is.
    Raw,
    DotEnv,
    Variable,
    Flag,
}

/// A key or a variable, and what it is given.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    value: String,
    layer: Layer,
}

/// All that is written of one configuration.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    entries: Vec<Entry>,
}

/// Makes such.
#[derive(Debug)]
pub(crate) struct Writings {
    keys: Vec<String>,
}

const LAYERS: [Layer; 5] = [
    Layer::Text,
    Layer::Raw,
    Layer::DotEnv,
    Layer::Variable,
    Layer::Flag,
];

/// Keys with a part that the operator chooses, and names that are no keys.
const MORE_KEYS: &[&str] = &[
    "providers.mine.kind",
    "providers.mine.base_url",
    "providers.mine.model",
    "providers.mine.api_key_env",
    "routes.0.name",
    "routes.0.words",
    "routes.0.pattern",
    "routes.0.metadata.tier",
    "routes.7.provider",
    "models.0.name",
    "models.0.input_price",
    "classifier.labels.work",
    "data_sources.stock.url",
    "data_sources.stock.secret_env",
    "mcp.files.command",
    "mcp.files.env",
    "sql_sources.sales.database_env",
    "tokens.reader.sha256",
    "tokens.reader.scope",
    "",
    ".",
    "server",
    "server.",
    ".port",
    "providers..kind",
    "nonsense.key",
    "gemini.api_kye",
];

/// Values that some key takes, and some that none does.
const VALUES: &[&str] = &[
    "",
    " ",
    "0",
    "1",
    "-1",
    "600",
    "0.5",
    "1e999",
    "NaN",
    "true",
    "false",
    "none",
    "auto",
    "demo",
    "openai",
    "gemini",
    "mine",
    "jwt",
    "token",
    "read",
    "act",
    "info",
    "info,patter=debug",
    "json",
    "127.0.0.1",
    "::1",
    "10.0.0.0/8,::1",
    "localhost:80",
    "example.org",
    "https://example.org/v1",
    "http://a:b@c/",
    "http://[::1",
    "sqlite:x.db",
    "postgres://h/d",
    "./x.db",
    "MINE_KEY",
    "18446744073709551616",
    "é",
    "\u{0}",
    "\u{202e}",
    "\"",
    "'",
    "[",
    "{",
    "[[",
    "a = 1",
    "\n",
    "\\",
    "${HOME}",
    "#",
    "=",
    ",",
    "a,b",
    "[1, 2]",
    "[\"a\"]",
    "{ a = 1 }",
    "2026-11-29",
    "\"\"\"",
    "\"text\"",
];

/// Keys whose values are secret, whatever they are.
const SECRETS: &[&str] = &["gemini.api_key", "openai.api_key", "auth.hs256_secret"];

impl Writings {
    pub(crate) fn new() -> Self {
        let config = Config::load(&Sources::none()).unwrap();
        let known = config.settings().iter().map(|it| it.key.clone());
        let more = MORE_KEYS.iter().map(|it| (*it).to_owned());
        Self {
            keys: known.chain(more).collect(),
        }
    }

    /// Whether the place of a fault is one that can be found: a file, a variable, or something below a table that
    /// there is or that was written.
    pub(crate) fn has_place(&self, subject: &str) -> bool {
        let is_file = subject.ends_with("/patter.toml") || subject.ends_with("/.env");
        let table = |key: &str| key.split('.').next() == subject.split('.').next();
        is_file || subject.starts_with("PATTER_") || self.keys.iter().any(|key| table(key))
    }

    fn entry<D: Driver>(&self, driver: &mut D) -> Option<Entry> {
        let is_text: bool = driver.produce()?;
        Some(Entry {
            name: one_value_of(&self.keys[..]).generate(driver)?,
            value: if is_text && (0..3_u8).generate(driver)? == 0 {
                driver.produce()?
            } else {
                one_value_of(VALUES).generate(driver)?.to_owned()
            },
            layer: one_value_of(LAYERS).generate(driver)?,
        })
    }

    /// A secret, where one may stand.
    fn secret<D: Driver>(driver: &mut D) -> Option<Entry> {
        let mut around = || {
            let parts = [
                "", "a", " ", "\n", "\"", "'", "\\", "/", "@", ":", "?", "#", "é", "%",
            ];
            let part = one_value_of(parts);
            Some([part.generate(driver)?, part.generate(driver)?].concat())
        };
        let value = format!("{}{CANARY}{}", around()?, around()?);
        let layer = one_value_of(LAYERS).generate(driver)?;
        let (name, value) = match (0..5_u8).generate(driver)? {
            0 => {
                let url = format!("postgres://me:{value}@db.example.org/chat");
                ("store.url", url)
            }
            1 => ("telemetry.otlp_headers", format!("authorization={value}")),
            2 => ("gemini.api_kye", value),
            3 => ("providers.mine.api_key_env", value),
            _ => (one_value_of(SECRETS).generate(driver)?, value),
        };
        Some(Entry {
            name: name.to_owned(),
            value,
            layer,
        })
    }
}

impl ValueGenerator for Writings {
    type Output = Written;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Written> {
        // First, so that no text that another one leaves open takes it in.
        let mut entries = vec![Self::secret(driver)?];
        for _ in 0..(0..6_u8).generate(driver)? {
            entries.push(self.entry(driver)?);
        }
        Some(Written { entries })
    }
}

impl Written {
    /// Writes the files into this folder, and gives the rest along.
    pub(crate) fn sources(&self, directory: &Path) -> Sources {
        let lines = |line: fn(&Entry) -> Option<String>| -> String {
            self.entries.iter().filter_map(line).collect()
        };
        let toml = lines(|it| match it.layer {
            Layer::Text => Some(format!("{} = {}\n", it.name, json!(it.value))),
            Layer::Raw => Some(format!("{} = {}\n", it.name, it.value)),
            _ => None,
        });
        let dot_env = lines(|it| {
            let variable = it.variable();
            (it.layer == Layer::DotEnv).then(|| format!("{variable}={}\n", it.value))
        });
        fs::write(directory.join("patter.toml"), toml).unwrap();
        fs::write(directory.join(".env"), dot_env).unwrap();
        let of = |layer| self.entries.iter().filter(move |it| it.layer == layer);
        let variables = of(Layer::Variable).map(|it| (it.variable(), it.value.clone()));
        let sources = Sources::none().directory(directory).environment(variables);
        of(Layer::Flag).fold(sources, |sources, it| sources.set(&it.name, &it.value))
    }
}

impl Entry {
    fn variable(&self) -> String {
        format!("PATTER_{}", self.name.to_uppercase().replace('.', "__"))
    }
}
