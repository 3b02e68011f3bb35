//! Where routes lead, and the model that may be asked which one to take. The conditions of a route
//! are [`patter_llm::Conditions`].

use std::collections::BTreeMap;
use std::time::Duration;

use patter_llm::ClassifierSettings;
use serde::{Deserialize, Serialize};

/// Where a route leads. What it leaves open is as without routes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RouteConfig {
    /// Whether people may choose it, by its metadata.
    #[serde(default)]
    pub offered: bool,
    /// Who answers.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// What the model is told before everything.
    pub system_prompt: Option<String>,
    /// Names of the tools that are offered.
    pub tools: Option<Vec<String>>,
    /// Sampling temperature.
    pub temperature: Option<f32>,
    /// Tokens of one step of an answer.
    pub max_output_tokens: Option<u32>,
}

/// The model that says what kind of message it is; [`patter_llm::ClassifierSettings`] tells more.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClassifierConfig {
    /// What it may answer, each with what it means. Without any, nobody is asked.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What it is to go by.
    pub prompt: Option<String>,
    /// Who is asked.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// How long it may take.
    pub timeout: Duration,
    /// The label that stands in where it fails.
    pub on_failure: Option<String>,
    /// Sampling temperature.
    pub temperature: Option<f32>,
    /// Tokens of its answer.
    pub max_output_tokens: u32,
}

impl ClassifierConfig {
    /// How it asks; `None` where there is no classifier, because it has no labels.
    #[must_use]
    pub fn settings(&self) -> Option<ClassifierSettings> {
        if self.labels.is_empty() {
            return None;
        }
        let mut settings = ClassifierSettings::default();
        if let Some(prompt) = &self.prompt {
            settings.prompt.clone_from(prompt);
        }
        settings.labels.clone_from(&self.labels);
        settings.timeout_ms = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        settings.on_failure.clone_from(&self.on_failure);
        settings.temperature = self.temperature;
        settings.max_output_tokens = self.max_output_tokens;
        Some(settings)
    }
}
