//! `patter models`: which providers and models there are, what they cost, and which are used.

mod text;

use chrono::NaiveDate;
use patter_llm::{Catalog, ModelInfo};
use patter_protocol::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::config::{Config, ModelTarget, ProviderKind};
use crate::wiring;

/// What `patter models` says.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Models")]
#[non_exhaustive]
pub struct ModelsReport {
    /// The model that answers where no route says otherwise.
    pub primary: Named,
    /// Why that one.
    pub why: String,
    /// What `llm.provider = "auto"` takes.
    pub auto: Auto,
    /// Who answers where a model cannot, in order.
    pub fallbacks: Vec<Named>,
    /// Where each route leads, in order.
    pub routes: Vec<RouteTarget>,
    /// Who is asked which route to take, if anybody.
    pub classifier: Option<Named>,
    /// The providers, and whether each can be asked.
    pub providers: Vec<Provider>,
    /// When the table of prices was last compared with its sources.
    pub prices_as_of: NaiveDate,
    /// All models that are known or used.
    pub models: Vec<Model>,
}

/// A model of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Named {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
}

/// What `llm.provider = "auto"` takes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Auto {
    /// The provider.
    pub provider: &'static str,
    /// Why that one.
    pub why: &'static str,
}

/// Where a route leads.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RouteTarget {
    /// Name of the route.
    pub name: String,
    /// The model that answers there.
    #[serde(flatten)]
    pub target: Named,
    /// What the `metadata` of a message has for it to be taken, where it is for people to choose; else null.
    pub choice: Option<JsonObject>,
}

/// A provider.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// What it speaks: `gemini`, `openai`, or nothing (`demo`).
    pub kind: String,
    /// Where it is, if not at its usual place.
    pub base_url: Option<String>,
    /// Why it cannot be asked; `None` where it can.
    pub missing: Option<String>,
}

/// A model, and what is known about it. What is `None` is not known.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Model {
    /// Whose it is, and what it is called.
    #[serde(flatten)]
    pub name: Named,
    /// What it is used for: `primary`, `fallback 1`, `route NAME`, `classifier`.
    pub used: Vec<String>,
    /// Tokens of a request and its answer together.
    pub context_window: Option<u64>,
    /// Tokens of an answer.
    pub max_output_tokens: Option<u64>,
    /// In USD for a million tokens, for a small request of today.
    pub price: Option<Price>,
    /// The first day on which it does not answer.
    pub shut_down: Option<NaiveDate>,
    /// How near that day is.
    pub end: End,
}

/// Prices in USD for a million tokens.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Price {
    /// For the request.
    pub input: Option<f64>,
    /// For the answer.
    pub output: Option<f64>,
    /// For what the provider had cached of the request.
    pub cached_input: Option<f64>,
}

/// How near the end of a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Not in sight.
    Far,
    /// Within 90 days.
    Near,
    /// It is over.
    Past,
}

/// All that clients are told of why a model answers.
const AS_CONFIGURED: &str = "as the server is set up";

/// So many days before its end a model is said to end.
const NEAR_DAYS: i64 = 90;

impl ModelsReport {
    /// Looks at the configuration as of this day.
    #[must_use]
    pub fn new(config: &Config, today: NaiveDate) -> Self {
        let catalog = wiring::catalog(config);
        let primary = config.primary();
        let fallbacks = config.fallbacks();
        let routes = routes(config);
        let classifier = config.classifier_target();
        let mut used = vec![("primary".to_owned(), Named::from(&primary))];
        for (place, fallback) in fallbacks.iter().enumerate() {
            used.push((format!("fallback {}", place + 1), fallback.into()));
        }
        for route in &routes {
            used.push((format!("route {}", route.name), route.target.clone()));
        }
        used.extend(
            classifier
                .iter()
                .map(|it| ("classifier".to_owned(), it.into())),
        );
        let (provider, why) = config.auto_provider();
        Self {
            primary: (&primary).into(),
            why: config.why_primary(),
            auto: Auto { provider, why },
            fallbacks: fallbacks.iter().map(Named::from).collect(),
            routes,
            classifier: classifier.as_ref().map(Named::from),
            providers: providers(config),
            prices_as_of: catalog.date(),
            models: models(&catalog, &used, today),
        }
    }

    /// What clients of the server may know of it: not where its providers are, nor which variables hold
    /// their keys.
    pub(crate) fn for_clients(mut self) -> Self {
        self.why = AS_CONFIGURED.to_owned();
        self.auto.why = AS_CONFIGURED;
        for provider in &mut self.providers {
            provider.base_url = None;
            provider.missing = provider.missing.take().map(|_| "no key".to_owned());
        }
        self
    }
}

impl From<&ModelTarget> for Named {
    fn from(target: &ModelTarget) -> Self {
        Self {
            provider: target.provider.clone(),
            model: target.model.clone(),
        }
    }
}

fn routes(config: &Config) -> Vec<RouteTarget> {
    let routes = config.routes.iter().map(|route| RouteTarget {
        name: route.name.clone(),
        target: (&config.route_target(&route.then)).into(),
        choice: route.then.offered.then(|| choice(&route.when.metadata)),
    });
    routes.collect()
}

/// Of several values that would do, the first.
fn choice(conditions: &JsonObject) -> JsonObject {
    let first = |value: &Value| match value {
        Value::Array(values) => values.first().cloned().unwrap_or_default(),
        single => single.clone(),
    };
    let conditions = conditions.iter();
    conditions
        .map(|(key, value)| (key.clone(), first(value)))
        .collect()
}

fn providers(config: &Config) -> Vec<Provider> {
    let well_known = |name: &str, base_url: &Option<String>, missing: Option<&str>| Provider {
        name: name.to_owned(),
        kind: name.to_owned(),
        base_url: base_url.clone(),
        missing: missing.map(str::to_owned),
    };
    let gemini = config.gemini.api_key.is_none();
    let openai = config.openai.api_key.is_none() && config.openai.base_url.is_none();
    let mut providers = vec![
        well_known(
            "gemini",
            &config.gemini.base_url,
            gemini.then_some("no key: set GEMINI_API_KEY or gemini.api_key"),
        ),
        well_known(
            "openai",
            &config.openai.base_url,
            openai.then_some("no key: set OPENAI_API_KEY or openai.api_key"),
        ),
    ];
    providers.extend(config.providers.iter().map(|(name, own)| Provider {
        name: name.clone(),
        kind: own.kind.to_string(),
        base_url: Some(own.base_url.clone()),
        missing: match (&own.api_key_env, &own.api_key) {
            (Some(variable), None) => Some(format!("no key: the variable {variable} is not set")),
            _ => None,
        },
    }));
    providers.push(well_known(&ProviderKind::Demo.to_string(), &None, None));
    providers
}

/// Those of the catalog, and those that are used without being in it.
fn models(catalog: &Catalog, used: &[(String, Named)], today: NaiveDate) -> Vec<Model> {
    let mut infos: Vec<ModelInfo> = catalog.models().cloned().collect();
    for (_, name) in used {
        if catalog.find(&name.provider, &name.model).is_none() {
            let info = ModelInfo::new(&name.provider, &name.model);
            if !infos.contains(&info) {
                infos.push(info);
            }
        }
    }
    infos.sort_by(|one, other| (&one.provider, &one.name).cmp(&(&other.provider, &other.name)));
    let uses = |info: &ModelInfo| {
        let means = |name: &Named| match catalog.find(&name.provider, &name.model) {
            Some(found) => found == info,
            None => (&name.provider, &name.model) == (&info.provider, &info.name),
        };
        let uses = used.iter().filter(|(_, name)| means(name));
        uses.map(|(what, _)| what.clone()).collect()
    };
    infos
        .iter()
        .map(|info| Model {
            name: Named {
                provider: info.provider.clone(),
                model: info.name.clone(),
            },
            used: uses(info),
            context_window: info.context_window,
            max_output_tokens: info.max_output_tokens,
            price: info.price(today, 1).map(|price| Price {
                input: price.input,
                output: price.output,
                cached_input: price.cached_input,
            }),
            shut_down: info.shut_down,
            end: end(info, today),
        })
        .collect()
}

fn end(info: &ModelInfo, today: NaiveDate) -> End {
    match info.shut_down {
        Some(day) if day <= today => End::Past,
        Some(day) if (day - today).num_days() <= NEAR_DAYS => End::Near,
        _ => End::Far,
    }
}
