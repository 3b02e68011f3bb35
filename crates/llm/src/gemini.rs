//! Google's Gemini over `streamGenerateContent`, API version `v1beta`
//! (<https://ai.google.dev/api/generate-content>).

use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::SecretString;

use crate::decode::answer;
use crate::error::LlmError;
use crate::gemini::decode::Decoder;
use crate::http::{Endpoint, Transport, base_url, secret_header};
use crate::model::{Answer, ChatModel};
use crate::report::Reporter;
use crate::request::ChatRequest;
use crate::settings::{Settings, first_variable};

mod decode;
mod encode;
mod replay;
mod wire;

const BASE_URL: &str = "https://generativelanguage.googleapis.com";
/// Not in the URL, where logs would show it.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

/// A Gemini model.
#[derive(Debug, Clone)]
pub struct Gemini {
    transport: Transport,
    reporter: Reporter,
    endpoint: Endpoint,
    model: String,
}

impl Gemini {
    /// A cheap and quick model that is current.
    pub const DEFAULT_MODEL: &str = "gemini-3.5-flash-lite";

    /// Sets the backend up. The base URL may end in a slash or in `/v1beta`, the model may
    /// begin with `models/`.
    ///
    /// # Errors
    ///
    /// [`LlmError::Settings`] for a base URL or a key that cannot be one.
    pub fn new(settings: Settings) -> Result<Self, LlmError> {
        let name = settings.name.unwrap_or_else(|| "gemini".to_owned());
        let key = settings.key;
        let reporter = Reporter::new(name, key.clone());
        let model = settings
            .model
            .trim()
            .trim_start_matches("models/")
            .to_owned();
        let base = base_url(settings.base_url.as_deref().unwrap_or(BASE_URL), &reporter)?;
        let url = endpoint(base.clone(), &model, &reporter)?;
        let mut headers = HeaderMap::new();
        if let Some(key) = &key {
            headers.insert(KEY_HEADER, secret_header(key, "", &reporter)?);
        }
        let transport = Transport::new(&base, headers, settings.timeouts, reporter.clone())?;
        Ok(Self {
            transport,
            reporter,
            endpoint: Endpoint(url),
            model,
        })
    }

    /// Sets the backend up from `GOOGLE_API_KEY`, else `GEMINI_API_KEY`, and from
    /// `GEMINI_BASE_URL` where it is set.
    ///
    /// # Errors
    ///
    /// [`LlmError::Settings`] where there is no key, and as for [`Gemini::new`].
    pub fn from_env(model: impl Into<String>) -> Result<Self, LlmError> {
        let Some(key) = first_variable(&["GOOGLE_API_KEY", "GEMINI_API_KEY"]) else {
            let reporter = Reporter::new("gemini".to_owned(), None);
            return Err(reporter.settings("neither GOOGLE_API_KEY nor GEMINI_API_KEY is set"));
        };
        let mut settings = Settings::new(model).key(SecretString::from(key));
        settings.base_url = first_variable(&["GEMINI_BASE_URL"]);
        Self::new(settings)
    }
}

#[async_trait]
impl ChatModel for Gemini {
    fn provider(&self) -> &str {
        self.reporter.provider()
    }

    fn model(&self) -> &str {
        &self.model
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        let body = encode::request(request, &self.model);
        let pieces = self.transport.post(self.endpoint.0.clone(), &body).await?;
        Ok(answer(
            pieces,
            Decoder::new(self.model.clone(), self.reporter.clone()),
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
