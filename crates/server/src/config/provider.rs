//! Which model answers, and whether what it needs is there.

use std::collections::BTreeSet;
use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;

use super::Config;
use super::fault::Fault;
use super::kind::{Kind, is_provider_name};
use super::layers::Variables;
use super::value::{Origin, Value, Values};

/// What Gemini answers with where no model is named.
pub const DEFAULT_GEMINI_MODEL: &str = "gemini-3.5-flash-lite";

/// What OpenAI answers with where no model is named.
pub const DEFAULT_OPENAI_MODEL: &str = "gpt-6-luna";

/// Names that `llm.provider` gives a meaning of its own.
const RESERVED: &[&str] = &["auto", "gemini", "openai", "demo"];

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Google's generateContent.
    Gemini,
    /// OpenAI's Chat Completions.
    #[serde(rename = "openai")]
    OpenAi,
    /// Nothing: the built-in demo model.
    Demo,
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gemini => "gemini",
            Self::OpenAi => "openai",
            Self::Demo => "demo",
        })
    }
}

/// The model that answers, and how it is reached.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// What the provider is called: its kind, or the NAME of its `[providers.NAME]`.
    pub name: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// The model; `demo` for the demo model.
    pub model: String,
    /// Where it is; `None` for the address that its kind has by default.
    pub base_url: Option<String>,
    /// The key, if there is one.
    pub key: Option<SecretString>,
    /// Why this one, for whoever reads the lines at the start.
    pub why: String,
}

impl Config {
    /// Which model answers: the one that `llm.provider` names, or for `auto` Gemini if it has a
    /// key, else OpenAI if it has one, else the demo model. Reads nothing but the configuration.
    #[must_use]
    pub fn choose_provider(&self) -> Chosen {
        let named = |name: &str| format!("llm.provider is {name}");
        match self.llm.provider.as_str() {
            "gemini" => self.gemini(named("gemini")),
            "openai" => self.openai(named("openai")),
            "demo" => demo(named("demo")),
            "auto" if self.gemini.api_key.is_some() => self.gemini("it has a key".into()),
            "auto" if self.openai.api_key.is_some() => self.openai("it has a key".into()),
            name => match self.providers.get(name) {
                Some(provider) => Chosen {
                    name: name.to_owned(),
                    kind: provider.kind,
                    model: self
                        .llm
                        .model
                        .clone()
                        .unwrap_or_else(|| provider.model.clone()),
                    base_url: Some(provider.base_url.clone()),
                    key: provider.api_key.clone(),
                    why: named(name),
                },
                None => demo("no key found; set GEMINI_API_KEY or OPENAI_API_KEY".into()),
            },
        }
    }

    fn gemini(&self, why: String) -> Chosen {
        Chosen {
            name: "gemini".into(),
            kind: ProviderKind::Gemini,
            model: self
                .llm
                .model
                .clone()
                .unwrap_or_else(|| DEFAULT_GEMINI_MODEL.into()),
            base_url: self.gemini.base_url.clone(),
            key: self.gemini.api_key.clone(),
            why,
        }
    }

    fn openai(&self, why: String) -> Chosen {
        Chosen {
            name: "openai".into(),
            kind: ProviderKind::OpenAi,
            model: self
                .llm
                .model
                .clone()
                .unwrap_or_else(|| DEFAULT_OPENAI_MODEL.into()),
            base_url: self.openai.base_url.clone(),
            key: self.openai.api_key.clone(),
            why,
        }
    }
}

fn demo(why: String) -> Chosen {
    Chosen {
        name: "demo".into(),
        kind: ProviderKind::Demo,
        model: "demo".into(),
        base_url: None,
        key: None,
        why,
    }
}

/// The names of all `[providers.NAME]`.
pub(super) fn names(values: &Values) -> BTreeSet<String> {
    let inner = values
        .keys()
        .filter_map(|path| path.strip_prefix("providers."));
    inner
        .filter_map(|rest| rest.split_once('.'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// What is wrong between keys, rather than with one of them.
pub(super) fn check(values: &Values, variables: &Variables) -> Vec<Fault> {
    let mut faults = Vec::new();
    for name in names(values) {
        check_named(&name, values, &mut faults);
    }
    let Some(Value::Text(chosen)) = values.get("llm.provider").map(|given| &given.value) else {
        return faults;
    };
    let missing = match chosen.trim() {
        "auto" | "demo" => None,
        "gemini" if values.contains_key("gemini.api_key") => None,
        "gemini" => Some("it has no key: set GEMINI_API_KEY or gemini.api_key".to_owned()),
        // A server that speaks OpenAI's API may want no key.
        "openai" if has_any(values, &["openai.api_key", "openai.base_url"]) => None,
        "openai" => Some("it has no key: set OPENAI_API_KEY or openai.api_key".to_owned()),
        // What is no name at all is a fault of the key itself.
        name if !is_provider_name(name) => None,
        name => missing_for_named(name, values, variables),
    };
    faults.extend(missing.map(|problem| fault("llm.provider", values, problem)));
    faults
}

fn has_any(values: &Values, paths: &[&str]) -> bool {
    paths.iter().any(|path| values.contains_key(*path))
}

fn check_named(name: &str, values: &Values, faults: &mut Vec<Fault>) {
    let subject = format!("providers.{name}");
    let origin = first_origin(&subject, values);
    let mut add = |problem: String| {
        let subject = super::mask::shorten(&subject);
        faults.push(Fault {
            subject,
            value: None,
            origin: origin.clone(),
            problem,
        });
    };
    if RESERVED.contains(&name) {
        add(format!(
            "the name is taken; expected one that is not {}",
            RESERVED.join(", ")
        ));
    } else if !is_provider_name(name) {
        add("expected a name of small letters, digits, `_` and `-`".into());
    }
    for needed in ["base_url", "model"] {
        if !values.contains_key(&format!("{subject}.{needed}")) {
            add(format!("`{needed}` is missing"));
        }
    }
}

fn first_origin(above: &str, values: &Values) -> Option<Origin> {
    let prefix = format!("{above}.");
    let within = |path: &str| path.starts_with(&prefix);
    // A default says nothing about where the provider was set up.
    let mut given = values
        .iter()
        .filter(|(path, _)| within(path))
        .map(|(_, given)| &given.origin);
    given.find(|origin| **origin != Origin::Default).cloned()
}

fn missing_for_named(name: &str, values: &Values, variables: &Variables) -> Option<String> {
    let known = names(values);
    if !known.contains(name) {
        let known = RESERVED
            .iter()
            .copied()
            .chain(known.iter().map(String::as_str));
        let known: Vec<_> = known.collect();
        return Some(format!(
            "there is no [providers.{name}]; there are {}",
            known.join(", ")
        ));
    }
    let named = &values.get(&format!("providers.{name}.api_key_env"))?.value;
    // What is no name of a variable is a fault of that key itself.
    Kind::VariableName.parse(named)?;
    let variable = named.to_string();
    match variables.get(variable.trim()) {
        None => Some(format!(
            "its key is missing: the variable {variable} is not set"
        )),
        Some(key) if Kind::Secret.parse(&Value::Text(key.clone())).is_none() => Some(format!(
            "the variable {variable} holds no key: expected {}",
            Kind::Secret.expected()
        )),
        Some(_) => None,
    }
}

fn fault(path: &str, values: &Values, problem: String) -> Fault {
    let given = values.get(path);
    Fault {
        subject: path.to_owned(),
        value: given.map(|given| super::mask::shorten(&given.value.to_string())),
        origin: given.map(|given| given.origin.clone()),
        problem,
    }
}
