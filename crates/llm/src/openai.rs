//! OpenAI's two APIs, and the many servers that speak one of them too: Ollama, vLLM, llama.cpp,
//! `OpenRouter`, Groq and others.

use async_trait::async_trait;
use reqwest::Url;
use secrecy::SecretString;

use crate::decode::answer;
use crate::effort::ReasoningEffort;
use crate::error::LlmError;
use crate::http::provider::Provider;
use crate::http::{Endpoint, Transport};
use crate::model::{Answer, ChatModel};
use crate::openai::chat::Dialect;
use crate::openai::server::Server;
use crate::origin::Origin;
use crate::request::ChatRequest;
use crate::settings::{Api, Settings, first_variable};

mod chat;
mod model_name;
mod responses;
mod server;
mod tool_text;

const PROVIDER: Provider = Provider {
    name: "openai",
    base_url: "https://api.openai.com/v1",
    key_header: |base| Server::of(base).key_header(),
};

/// A model of OpenAI, or of a server with one of its APIs.
#[derive(Debug, Clone)]
pub struct OpenAi {
    transport: Transport,
    endpoint: Endpoint,
    model: String,
    spoken: Spoken,
}

/// The API, with what its requests depend on.
#[derive(Debug, Clone)]
enum Spoken {
    Chat(Dialect),
    Responses(Origin, Option<ReasoningEffort>),
}

impl OpenAi {
    /// A cheap and quick model that is current.
    pub const DEFAULT_MODEL: &str = "gpt-6-luna";

    /// Sets the backend up. The base URL is what stands before `/responses` or
    /// `/chat/completions`, such as `http://127.0.0.1:11434/v1`; a query in it, such as Azure's
    /// `api-version`, is kept. OpenAI itself is asked by Responses, every other base URL by Chat
    /// Completions, unless [`Settings::api`] says otherwise. Without a key none is sent.
    ///
    /// Where [`Settings::reasoning_effort`] asks a model to think, Responses is also asked for
    /// summaries of its thoughts. OpenAI gives them to verified organizations alone, and refuses
    /// the request of others.
    ///
    /// # Errors
    ///
    /// [`LlmError::Settings`] for a base URL or a key that cannot be one.
    pub fn new(settings: Settings) -> Result<Self, LlmError> {
        let (transport, base) = PROVIDER.connect(&settings)?;
        let Settings {
            model,
            api,
            reasoning_effort,
            ..
        } = settings;
        let model = model.trim().to_owned();
        if model.is_empty() {
            return Err(transport.reporter().settings("no model is named"));
        }
        let api = api.unwrap_or(if Server::of(&base) == Server::OpenAi {
            Api::Responses
        } else {
            Api::Chat
        });
        let (spoken, path): (_, &[&str]) = match api {
            Api::Chat => (
                Spoken::Chat(Dialect::of(&base, &model, reasoning_effort)),
                &["chat", "completions"],
            ),
            Api::Responses => (
                Spoken::Responses(Origin::new(&base, &model), reasoning_effort),
                &["responses"],
            ),
        };
        Ok(Self {
            endpoint: endpoint(base, path),
            transport,
            model,
            spoken,
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
            let reporter = PROVIDER.reporter(&settings);
            return Err(reporter.settings("neither OPENAI_API_KEY nor OPENAI_BASE_URL is set"));
        }
        Self::new(settings)
    }
}

fn endpoint(mut base: Url, path: &[&str]) -> Endpoint {
    if let Ok(mut segments) = base.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    Endpoint(base)
}

#[async_trait]
impl ChatModel for OpenAi {
    fn provider(&self) -> &str {
        self.transport.reporter().provider()
    }

    fn model(&self) -> &str {
        &self.model
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        let url = self.endpoint.0.clone();
        let reporter = self.transport.reporter().clone();
        match &self.spoken {
            Spoken::Chat(dialect) => {
                let body = chat::request(request, &self.model, dialect);
                let pieces = self.transport.post(url, &body).await?;
                Ok(answer(pieces, chat::Decoder::new(dialect, reporter)))
            }
            Spoken::Responses(origin, effort) => {
                let body = responses::request(request, origin, *effort);
                let pieces = self.transport.post(url, &body).await?;
                Ok(answer(
                    pieces,
                    responses::Decoder::new(origin.clone(), reporter),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openai_itself_is_asked_by_responses_and_others_by_chat_completions() {
        const OPENAI: &str = "https://api.openai.com/v1";
        let cases = [
            (OPENAI, None, "https://api.openai.com/v1/responses"),
            (
                OPENAI,
                Some(Api::Chat),
                "https://api.openai.com/v1/chat/completions",
            ),
            ("http://h:1/v1/", None, "http://h:1/v1/chat/completions"),
            ("http://h:1", Some(Api::Responses), "http://h:1/responses"),
        ];
        for (base, api, expected) in cases {
            let mut settings = Settings::new("m").base_url(base);
            settings.api = api;
            let model = OpenAi::new(settings).unwrap();
            assert_eq!(model.endpoint.0.as_str(), expected);
        }
        let model = OpenAi::new(Settings::new("m")).unwrap();
        assert_eq!(model.endpoint.0.path(), "/v1/responses");
    }
}
