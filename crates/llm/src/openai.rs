//! OpenAI's Chat Completions (<https://platform.openai.com/docs/api-reference/chat>) and the many
//! servers that speak it too: Ollama, vLLM, llama.cpp, `OpenRouter`, Groq and others.

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use secrecy::SecretString;

use crate::decode::answer;
use crate::error::LlmError;
use crate::http::{Endpoint, Transport, base_url, secret_header};
use crate::model::{Answer, ChatModel};
use crate::openai::chat::{Decoder, Dialect};
use crate::report::Reporter;
use crate::request::ChatRequest;
use crate::settings::{Settings, first_variable};

mod chat;

const BASE_URL: &str = "https://api.openai.com/v1";

/// A model behind Chat Completions.
#[derive(Debug, Clone)]
pub struct OpenAi {
    transport: Transport,
    reporter: Reporter,
    endpoint: Endpoint,
    model: String,
    dialect: Dialect,
}

impl OpenAi {
    /// A cheap and quick model that is current.
    pub const DEFAULT_MODEL: &str = "gpt-6-luna";

    /// Sets the backend up. The base URL is what stands before `/chat/completions`, such as
    /// `http://127.0.0.1:11434/v1`. Without a key no `Authorization` is sent.
    ///
    /// # Errors
    ///
    /// [`LlmError::Settings`] for a base URL or a key that cannot be one.
    pub fn new(settings: Settings) -> Result<Self, LlmError> {
        let name = settings.name.unwrap_or_else(|| "openai".to_owned());
        let key = settings.key;
        let reporter = Reporter::new(name, key.clone());
        let model = settings.model.trim().to_owned();
        if model.is_empty() {
            return Err(reporter.settings("no model is named"));
        }
        let base = base_url(settings.base_url.as_deref().unwrap_or(BASE_URL), &reporter)?;
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["chat", "completions"]);
        }
        let mut headers = HeaderMap::new();
        if let Some(key) = &key {
            headers.insert(AUTHORIZATION, secret_header(key, "Bearer ", &reporter)?);
        }
        let dialect = Dialect::of(base.host_str().unwrap_or_default(), &model);
        let transport = Transport::new(&base, headers, settings.timeouts, reporter.clone())?;
        Ok(Self {
            transport,
            reporter,
            endpoint: Endpoint(url),
            model,
            dialect,
        })
    }

    /// Sets the backend up from `OPENAI_API_KEY` and `OPENAI_BASE_URL`.
    ///
    /// # Errors
    ///
    /// [`LlmError::Settings`] where neither is set, and as for [`OpenAi::new`]. A base URL alone
    /// is enough: local servers want no key.
    pub fn from_env(model: impl Into<String>) -> Result<Self, LlmError> {
        let mut settings = Settings::new(model);
        settings.key = first_variable(&["OPENAI_API_KEY"]).map(SecretString::from);
        settings.base_url = first_variable(&["OPENAI_BASE_URL"]);
        if settings.key.is_none() && settings.base_url.is_none() {
            let reporter = Reporter::new("openai".to_owned(), None);
            return Err(reporter.settings("neither OPENAI_API_KEY nor OPENAI_BASE_URL is set"));
        }
        Self::new(settings)
    }
}

#[async_trait]
impl ChatModel for OpenAi {
    fn provider(&self) -> &str {
        self.reporter.provider()
    }

    fn model(&self) -> &str {
        &self.model
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        let body = chat::request(request, &self.model, self.dialect);
        let pieces = self.transport.post(self.endpoint.0.clone(), &body).await?;
        Ok(answer(pieces, Decoder::new(self.reporter.clone())))
    }
}
