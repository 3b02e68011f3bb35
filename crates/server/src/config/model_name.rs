//! How a list names a model: `PROVIDER` or `PROVIDER/MODEL`.

use std::fmt;

use serde::Deserialize;

use super::kind::is_provider_name;

/// A provider, and one of its models.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ModelName {
    /// `gemini`, `openai`, `demo`, or the NAME of a `[providers.NAME]`.
    pub provider: String,
    /// The model, which may have a `/` in its name; the provider's default where `None`.
    pub model: Option<String>,
}

impl ModelName {
    /// Reads `PROVIDER` or `PROVIDER/MODEL`: the first `/` counts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (provider, model) = match text.trim().split_once('/') {
            None => (text.trim(), None),
            Some((provider, model)) => (provider.trim_end(), Some(model.trim())),
        };
        let is_name = is_provider_name(provider) && provider != "auto";
        (is_name && model != Some("")).then(|| Self {
            provider: provider.to_owned(),
            model: model.map(str::to_owned),
        })
    }
}

impl TryFrom<String> for ModelName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("neither PROVIDER nor PROVIDER/MODEL")
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.provider)?;
        match &self.model {
            Some(model) => write!(f, "/{model}"),
            None => Ok(()),
        }
    }
}
