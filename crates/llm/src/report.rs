//! Errors in the name of one provider: bounded in length and free of the key.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::error::{LlmError, TimeoutPhase};

/// Longest message of an error, in characters.
const MAX_MESSAGE: usize = 500;

/// Makes the errors of one backend. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    provider: String,
    key: Option<SecretString>,
}

impl Reporter {
    /// Speaks for the provider and keeps its key out of every message.
    pub(crate) fn new(provider: String, key: Option<SecretString>) -> Self {
        Self {
            shared: Arc::new(Shared { provider, key }),
        }
    }

    /// Name of the provider.
    pub(crate) fn provider(&self) -> &str {
        &self.shared.provider
    }

    pub(crate) fn settings(&self, message: &str) -> LlmError {
        LlmError::Settings {
            provider: self.name(),
            message: self.tidy(message),
        }
    }

    pub(crate) fn auth(&self, message: &str) -> LlmError {
        LlmError::Auth {
            provider: self.name(),
            message: self.tidy(message),
        }
    }

    pub(crate) fn rate_limited(&self, message: &str, retry_after: Option<Duration>) -> LlmError {
        LlmError::RateLimited {
            provider: self.name(),
            message: self.tidy(message),
            retry_after,
        }
    }

    pub(crate) fn quota(&self, message: &str) -> LlmError {
        LlmError::Quota {
            provider: self.name(),
            message: self.tidy(message),
        }
    }

    pub(crate) fn invalid_request(&self, message: &str) -> LlmError {
        LlmError::InvalidRequest {
            provider: self.name(),
            message: self.tidy(message),
        }
    }

    pub(crate) fn not_found(&self, message: &str) -> LlmError {
        LlmError::NotFound {
            provider: self.name(),
            message: self.tidy(message),
        }
    }

    pub(crate) fn blocked(&self, message: &str) -> LlmError {
        LlmError::Blocked {
            provider: self.name(),
            message: self.tidy(message),
        }
    }

    pub(crate) fn server(&self, message: &str, retry_after: Option<Duration>) -> LlmError {
        LlmError::Server {
            provider: self.name(),
            message: self.tidy(message),
            retry_after,
        }
    }

    pub(crate) fn malformed(&self, message: &str) -> LlmError {
        LlmError::Malformed {
            provider: self.name(),
            message: self.tidy(message),
        }
    }

    pub(crate) fn truncated(&self) -> LlmError {
        LlmError::Truncated {
            provider: self.name(),
        }
    }

    pub(crate) fn timeout(&self, phase: TimeoutPhase, limit: Duration) -> LlmError {
        LlmError::Timeout {
            provider: self.name(),
            phase,
            limit,
        }
    }

    /// What the network said, with the causes, which alone say what happened, and without the
    /// URL, which may hold a password.
    pub(crate) fn connection(&self, error: reqwest::Error) -> LlmError {
        let error = error.without_url();
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        LlmError::Connection {
            provider: self.name(),
            message: self.tidy(&message),
        }
    }

    fn name(&self) -> String {
        self.shared.provider.clone()
    }

    /// Providers repeat the key that they refuse, and some answer with a whole page.
    fn tidy(&self, message: &str) -> String {
        let key = self
            .shared
            .key
            .as_ref()
            .map_or("", |key| key.expose_secret().trim());
        let clean = if key.is_empty() {
            message.to_owned()
        } else {
            message.replace(key, "[key]")
        };
        let mut characters = clean.trim().chars();
        let mut short: String = characters
            .by_ref()
            .take(MAX_MESSAGE)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if characters.next().is_some() {
            short.push('…');
        }
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_is_taken_out_and_a_long_message_is_cut() {
        let reporter = Reporter::new("here".into(), Some(SecretString::from("sk-secret")));
        let message = reporter.auth("wrong key: sk-secret\n!").to_string();
        assert_eq!(message, "here refused the credentials: wrong key: [key] !");
        let long = reporter.auth(&"x".repeat(10_000)).to_string();
        assert!(long.chars().count() < 600 && long.ends_with('…'), "{long}");
    }
}
