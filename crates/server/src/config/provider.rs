//! Which models answer, and how each is reached.

use std::fmt;

use patter_llm::{Api, Gemini, OpenAi, SchemaForm};
use secrecy::SecretString;
use serde::Deserialize;

use super::{ClassifierConfig, Config, ModelName, RouteConfig};

/// The one model of the demo provider.
pub(super) const DEMO_MODEL: &str = "demo";

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Google's generateContent.
    Gemini,
    /// One of OpenAI's two APIs.
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

/// A model, and how it is reached.
#[derive(Debug, Clone)]
pub struct ModelTarget {
    /// What the provider is called: its kind, or the NAME of its `[providers.NAME]`.
    pub provider: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// The model; `demo` for the demo model.
    pub model: String,
    /// Where it is; `None` for the address that its kind has by default.
    pub base_url: Option<String>,
    /// The key, if there is one.
    pub key: Option<SecretString>,
    /// Which API of OpenAI; by default as [`patter_llm::Settings::api`] says.
    pub api: Option<Api>,
    /// In which form Gemini is given the schemas of tools.
    pub tool_schema: SchemaForm,
}

impl ModelTarget {
    /// Whether both are the same model of the same provider.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.provider, &self.model) == (&other.provider, &other.model)
    }
}

impl Config {
    /// The model that answers where no route says otherwise: the one that `llm.provider` names, or
    /// for `auto` Gemini if it has a key, else OpenAI if it has one, else the demo model. Reads
    /// nothing but the configuration.
    #[must_use]
    pub fn primary(&self) -> ModelTarget {
        let name = ModelName {
            provider: self.primary_provider().to_owned(),
            model: self.llm.model.clone(),
        };
        // The name of a provider was checked when the configuration was read.
        self.target(&name).unwrap_or_else(demo)
    }

    /// Why [`Config::primary`] is what it is, for a person.
    #[must_use]
    pub fn why_primary(&self) -> String {
        match self.llm.provider.as_str() {
            "auto" => self.auto_provider().1.to_owned(),
            name => format!("llm.provider is {name}"),
        }
    }

    /// What `auto` means for `llm.provider` here, and why.
    #[must_use]
    pub fn auto_provider(&self) -> (&'static str, &'static str) {
        if self.gemini.api_key.is_some() {
            ("gemini", "it has a key")
        } else if self.openai.api_key.is_some() {
            ("openai", "it has a key")
        } else if self.openai.base_url.is_some() {
            let why = "no key found; llm.provider = openai asks openai.base_url without one";
            ("demo", why)
        } else {
            ("demo", "no key found; set GEMINI_API_KEY or OPENAI_API_KEY")
        }
    }

    /// The models behind the primary one, in the order in which they are tried.
    #[must_use]
    pub fn fallbacks(&self) -> Vec<ModelTarget> {
        let names = self.llm.fallbacks.iter();
        names.filter_map(|name| self.target(name)).collect()
    }

    /// How the model is reached; `None` where there is no such provider, which
    /// [`Config::load`] refuses.
    #[must_use]
    pub fn target(&self, name: &ModelName) -> Option<ModelTarget> {
        let model = |default: &str| name.model.clone().unwrap_or_else(|| default.to_owned());
        Some(match name.provider.as_str() {
            "gemini" => ModelTarget {
                provider: "gemini".into(),
                kind: ProviderKind::Gemini,
                model: model(Gemini::DEFAULT_MODEL),
                base_url: self.gemini.base_url.clone(),
                key: self.gemini.api_key.clone(),
                api: None,
                tool_schema: self.gemini.tool_schema,
            },
            "openai" => ModelTarget {
                provider: "openai".into(),
                kind: ProviderKind::OpenAi,
                model: model(OpenAi::DEFAULT_MODEL),
                base_url: self.openai.base_url.clone(),
                key: self.openai.api_key.clone(),
                api: self.openai.api,
                tool_schema: SchemaForm::default(),
            },
            "demo" => demo(),
            own => {
                let provider = self.providers.get(own)?;
                ModelTarget {
                    provider: own.to_owned(),
                    kind: provider.kind,
                    model: model(&provider.model),
                    base_url: Some(provider.base_url.clone()),
                    key: provider.api_key.clone(),
                    api: provider.api,
                    tool_schema: provider.tool_schema.unwrap_or_default(),
                }
            }
        })
    }

    /// The model that a route leads to: what it names, or the primary one where it names neither
    /// a provider nor a model.
    #[must_use]
    pub fn route_target(&self, route: &RouteConfig) -> ModelTarget {
        self.target_or_primary(route.provider.as_deref(), route.model.as_deref())
    }

    /// The model that is asked which route to take, if there is a classifier.
    #[must_use]
    pub fn classifier_target(&self) -> Option<ModelTarget> {
        let ClassifierConfig {
            provider,
            model,
            labels,
            ..
        } = &self.classifier;
        let is_there = !labels.is_empty();
        is_there.then(|| self.target_or_primary(provider.as_deref(), model.as_deref()))
    }

    fn target_or_primary(&self, provider: Option<&str>, model: Option<&str>) -> ModelTarget {
        if provider.is_none() && model.is_none() {
            return self.primary();
        }
        let name = ModelName {
            provider: provider.unwrap_or(self.primary_provider()).to_owned(),
            model: model.map(str::to_owned),
        };
        self.target(&name).unwrap_or_else(|| self.primary())
    }

    fn primary_provider(&self) -> &str {
        match self.llm.provider.as_str() {
            "auto" => self.auto_provider().0,
            name => name,
        }
    }
}

fn demo() -> ModelTarget {
    ModelTarget {
        provider: "demo".into(),
        kind: ProviderKind::Demo,
        model: DEMO_MODEL.into(),
        base_url: None,
        key: None,
        api: None,
        tool_schema: SchemaForm::default(),
    }
}
