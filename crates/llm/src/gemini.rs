//! Google's Gemini over `streamGenerateContent`, API version `v1beta`
//! (<https://ai.google.dev/api/generate-content>).

use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::HeaderName;
use secrecy::SecretString;

use crate::decode::answer;
use crate::error::LlmError;
use crate::gemini::decode::Decoder;
use crate::gemini::thinking::{Thinking, thinking};
use crate::http::provider::Provider;
use crate::http::{Endpoint, Transport};
use crate::model::{Answer, ChatModel};
use crate::origin::Origin;
use crate::report::Reporter;
use crate::request::ChatRequest;
use crate::settings::{SchemaForm, Settings, first_variable};

mod decode;
mod encode;
pub(crate) mod family;
mod replay;
mod schema;
mod thinking;
mod wire;

const PROVIDER: Provider = Provider {
    name: "gemini",
    base_url: "https://generativelanguage.googleapis.com",
    key_header: |_| (HeaderName::from_static("x-goog-api-key"), ""),
};

/// A Gemini model.
#[derive(Debug, Clone)]
pub struct Gemini {
    transport: Transport,
    endpoint: Endpoint,
    origin: Origin,
    schema_form: SchemaForm,
    thinking: Option<Thinking>,
}

impl Gemini {
    /// A cheap and quick model that is current.
    pub const DEFAULT_MODEL: &str = "gemini-3.5-flash-lite";

    /// Sets the backend up. The base URL may end in a slash or in `/v1beta`, the model may
    /// begin with `models/`. Where [`Settings::reasoning_effort`] asks the model to think, its
    /// thoughts are asked for too.
    ///
    /// # Errors
    ///
    /// [`LlmError::Settings`] for a base URL or a key that cannot be one.
    pub fn new(settings: Settings) -> Result<Self, LlmError> {
        let (transport, base) = PROVIDER.connect(&settings)?;
        let Settings {
            model,
            schema_form,
            reasoning_effort,
            ..
        } = settings;
        let model = model.trim().trim_start_matches("models/").to_owned();
        let origin = Origin::new(&base, &model);
        let url = endpoint(base, &model, transport.reporter())?;
        Ok(Self {
            transport,
            endpoint: Endpoint(url),
            schema_form,
            thinking: reasoning_effort.and_then(|effort| thinking(&model, effort)),
            origin,
        })
    }

    /// Sets the backend up from `GOOGLE_API_KEY`, else `GEMINI_API_KEY`, and from
    /// `GEMINI_BASE_URL` where it is set.
    ///
    /// # Errors
    ///
    /// [`LlmError::Settings`] where there is no key, and as for [`Gemini::new`].
    pub fn from_env(model: impl Into<String>) -> Result<Self, LlmError> {
        let mut settings = Settings::new(model);
        let Some(key) = first_variable(&["GOOGLE_API_KEY", "GEMINI_API_KEY"]) else {
            let reporter = PROVIDER.reporter(&settings);
            return Err(reporter.settings("neither GOOGLE_API_KEY nor GEMINI_API_KEY is set"));
        };
        settings.key = Some(SecretString::from(key));
        settings.base_url = first_variable(&["GEMINI_BASE_URL"]);
        Self::new(settings)
    }
}

#[async_trait]
impl ChatModel for Gemini {
    fn provider(&self) -> &str {
        self.transport.reporter().provider()
    }

    fn model(&self) -> &str {
        self.origin.model()
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        let body = encode::request(request, &self.origin, self.schema_form, self.thinking);
        let pieces = self.transport.post(self.endpoint.0.clone(), &body).await?;
        Ok(answer(
            pieces,
            Decoder::new(self.origin.clone(), self.transport.reporter().clone()),
        ))
    }
}

fn endpoint(mut url: Url, model: &str, reporter: &Reporter) -> Result<Url, LlmError> {
    if model.is_empty() {
        return Err(reporter.settings("no model is named"));
    }
    let versioned = url.path().ends_with("/v1beta");
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        if !versioned {
            path.push("v1beta");
        }
        path.push("models")
            .push(&format!("{model}:streamGenerateContent"));
    }
    url.set_query(Some("alt=sse"));
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_and_model_names_are_taken_in_every_common_spelling() {
        for base in [
            "http://h:1",
            "http://h:1/",
            "http://h:1/v1beta",
            "http://h:1/v1beta/",
        ] {
            for model in ["gemini-9", "models/gemini-9"] {
                let gemini = Gemini::new(Settings::new(model).base_url(base)).unwrap();
                let expected = "http://h:1/v1beta/models/gemini-9:streamGenerateContent?alt=sse";
                assert_eq!(gemini.endpoint.0.as_str(), expected);
                assert_eq!(gemini.model(), "gemini-9");
            }
        }
    }

    #[test]
    fn what_cannot_be_a_setting_is_refused_and_the_key_is_never_shown() {
        let key = SecretString::from("a\nsecret");
        let bad = [
            Settings::new("m").base_url("localhost:8080"),
            Settings::new("m").base_url("no url"),
            Settings::new("models/"),
            Settings::new("m").key(key),
        ];
        for settings in bad {
            let error = Gemini::new(settings).unwrap_err();
            assert!(matches!(error, LlmError::Settings { .. }), "{error:?}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
        let gemini = Gemini::new(Settings::new("m").key(SecretString::from("hush-hush"))).unwrap();
        assert!(!format!("{gemini:?}").contains("hush"), "{gemini:?}");
    }
}
