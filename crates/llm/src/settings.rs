//! How a backend over HTTP is reached: where, as whom, which model, and how patiently.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::effort::ReasoningEffort;

/// What [`Gemini`](crate::Gemini) and [`OpenAi`](crate::OpenAi) are made from.
#[derive(Clone)]
pub struct Settings {
    pub(crate) name: Option<String>,
    pub(crate) model: String,
    pub(crate) base_url: Option<String>,
    pub(crate) key: Option<SecretString>,
    pub(crate) timeouts: Timeouts,
    pub(crate) api: Option<Api>,
    pub(crate) schema_form: SchemaForm,
    pub(crate) reasoning_effort: Option<ReasoningEffort>,
    pub(crate) headers: RequestHeaders,
}

/// Makes headers for each request.
#[derive(Clone, Default)]
pub(crate) struct RequestHeaders(Option<Arc<dyn Fn() -> HeaderMap + Send + Sync>>);

impl RequestHeaders {
    pub(crate) fn make(&self) -> HeaderMap {
        self.0.as_ref().map(|make| make()).unwrap_or_default()
    }
}

impl fmt::Debug for RequestHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHeaders").finish_non_exhaustive()
    }
}

/// Which of its two APIs an OpenAI server is asked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Chat Completions, which nearly every server speaks.
    Chat,
    /// Responses, which OpenAI's newest models want for tools.
    Responses,
}

/// In which form Gemini is given the schemas of tools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaForm {
    /// As they are, in `parametersJsonSchema`.
    #[default]
    JsonSchema,
    /// Reduced to what the older `parameters` takes, for proxies that know nothing else.
    OpenApi,
}

impl Settings {
    /// The given model at the provider's own address, without a key.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            name: None,
            model: model.into(),
            base_url: None,
            key: None,
            timeouts: Timeouts::default(),
            api: None,
            schema_form: SchemaForm::default(),
            reasoning_effort: None,
            headers: RequestHeaders::default(),
        }
    }

    /// What errors and [`ChatModel::provider`](crate::ChatModel::provider) call it, such as
    /// `ollama`; by default the name of the API.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Where the API is, such as `http://127.0.0.1:11434/v1`.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The key to send; an empty one counts as none.
    #[must_use]
    pub fn key(mut self, key: SecretString) -> Self {
        self.key = Some(key).filter(|key| !key.expose_secret().trim().is_empty());
        self
    }

    /// How long to wait for what.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Which API of OpenAI to speak; by default Responses at OpenAI itself and Chat Completions
    /// at every other base URL. Gemini has one.
    #[must_use]
    pub fn api(mut self, api: Api) -> Self {
        self.api = Some(api);
        self
    }

    /// In which form Gemini is given the schemas of tools.
    #[must_use]
    pub fn schema_form(mut self, form: SchemaForm) -> Self {
        self.schema_form = form;
        self
    }

    /// How much the model is to think; by default as its maker has it, and nothing is sent.
    #[must_use]
    pub fn reasoning_effort(mut self, effort: ReasoningEffort) -> Self {
        self.reasoning_effort = Some(effort);
        self
    }

    /// Headers that are made for each request, within the span of who asks: for the context of a
    /// trace, such as `traceparent`.
    #[must_use]
    pub fn headers(mut self, make: impl Fn() -> HeaderMap + Send + Sync + 'static) -> Self {
        self.headers = RequestHeaders(Some(Arc::new(make)));
        self
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the base URL: it is not checked yet, and may have a password in it.
        f.debug_struct("Settings")
            .field("name", &self.name)
            .field("model", &self.model)
            .field("key", &self.key)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a TCP and TLS connection; 5 s by default.
    pub connect: Duration,
    /// From sending the request to the headers of the answer, connecting included; 20 s by default.
    pub headers: Duration,
    /// From the headers to the first piece of the answer; 45 s by default.
    pub first_token: Duration,
    /// From one piece to the next; 30 s by default. A keep-alive comment counts as a piece,
    /// here and for [`Timeouts::first_token`].
    pub next_token: Duration,
    /// From sending the request to the end of the answer; 300 s by default.
    pub whole_answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            headers: Duration::from_secs(20),
            first_token: Duration::from_secs(45),
            next_token: Duration::from_secs(30),
            whole_answer: Duration::from_secs(300),
        }
    }
}

/// The value of the first of these environment variables that is set and not empty.
pub(crate) fn first_variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        std::env::var(name)
            .ok()
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    })
}
