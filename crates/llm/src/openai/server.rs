//! Whose server a base URL belongs to, where that matters.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};

/// The servers that differ from the many that speak the same API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// OpenAI itself, also in one of its regions.
    OpenAi,
    /// OpenAI's models, and others, at Microsoft.
    Azure,
    /// Gemini behind its compatible endpoint.
    Gemini,
    /// `DeepSeek` itself.
    DeepSeek,
    /// Mistral itself.
    Mistral,
    /// Any other.
    Another,
}

impl Server {
    /// The server at this base URL.
    pub(super) fn of(base: &Url) -> Self {
        let host = base.host_str().unwrap_or_default();
        let is_at = |domain: &str| host.ends_with(domain);
        if host == "api.openai.com" || is_at(".api.openai.com") {
            Self::OpenAi
        } else if is_at(".openai.azure.com")
            || is_at(".services.ai.azure.com")
            || is_at(".cognitiveservices.azure.com")
        {
            Self::Azure
        } else if host == "generativelanguage.googleapis.com" {
            Self::Gemini
        } else if host == "api.deepseek.com" {
            Self::DeepSeek
        } else if host == "api.mistral.ai" {
            Self::Mistral
        } else {
            Self::Another
        }
    }

    /// The header that carries the key, and what stands in it before the key.
    pub(super) fn key_header(self) -> (HeaderName, &'static str) {
        match self {
            Self::Azure => (HeaderName::from_static("api-key"), ""),
            Self::OpenAi | Self::Gemini | Self::DeepSeek | Self::Mistral | Self::Another => {
                (AUTHORIZATION, "Bearer ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_host_alone() {
        for (base, server, header) in [
            ("https://api.openai.com/v1", Server::OpenAi, "authorization"),
            (
                "https://eu.api.openai.com/v1",
                Server::OpenAi,
                "authorization",
            ),
            (
                "https://mine.openai.azure.com/openai/deployments/d?api-version=1",
                Server::Azure,
                "api-key",
            ),
            (
                "https://mine.services.ai.azure.com/openai/v1",
                Server::Azure,
                "api-key",
            ),
            (
                "https://generativelanguage.googleapis.com/v1beta/openai",
                Server::Gemini,
                "authorization",
            ),
            (
                "https://api.deepseek.com",
                Server::DeepSeek,
                "authorization",
            ),
            (
                "https://api.mistral.ai/v1",
                Server::Mistral,
                "authorization",
            ),
            (
                "https://api.openai.com.example.org/v1",
                Server::Another,
                "authorization",
            ),
            (
                "http://localhost:1/openai.azure.com",
                Server::Another,
                "authorization",
            ),
        ] {
            let found = Server::of(&Url::parse(base).unwrap());
            assert_eq!(found, server, "{base}");
            assert_eq!(found.key_header().0, header, "{base}");
        }
    }
}
