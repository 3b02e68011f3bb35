//! What a provider says when it refuses or fails, and what that means for the caller.
//!
//! Shapes understood: `{"error": {...}}`, the same in an array or as an SSE event,
//! `{"response": {"error": {...}}}`, `{"error": "text"}`, `{"detail": "text"}`, a bare
//! `{"message": ...}`, and plain text.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::error::LlmError;
use crate::report::Reporter;

pub(crate) mod wait;

/// A refusal in the words of the provider.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    status: Option<u16>,
    message: String,
    /// Every machine-readable word in it, lower-case: code, type, status, reasons, quota ids.
    words: Vec<String>,
    retry_after: Option<Duration>,
    /// What the provider itself says about asking again.
    should_retry: Option<bool>,
}

impl Refusal {
    /// Reads the body of a refusal. `status` is that of HTTP and `None` for an error within a
    /// stream, which may carry a status of its own.
    pub(crate) fn read(body: &str, status: Option<u16>, retry_after: Option<Duration>) -> Self {
        let body = body.trim();
        let json = body
            .strip_prefix("data:")
            .map_or(body, |rest| rest.lines().next().unwrap_or(""));
        let Ok(json) = serde_json::from_str::<Value>(json.trim()) else {
            return Self {
                status,
                message: body.to_owned(),
                retry_after,
                ..Self::default()
            };
        };
        Self::from_json(&json, status, retry_after)
    }

    /// Takes note of `x-should-retry`, by which OpenAI and others overrule what the status means.
    pub(crate) fn with_advice(mut self, headers: &HeaderMap) -> Self {
        self.should_retry = match headers.get("x-should-retry").map(|value| value.as_bytes()) {
            Some(b"true") => Some(true),
            Some(b"false") => Some(false),
            _ => None,
        };
        self
    }

    fn from_json(json: &Value, status: Option<u16>, retry_after: Option<Duration>) -> Self {
        let whole = json.get(0).unwrap_or(json);
        let error = whole
            .get("error")
            .filter(|error| !error.is_null())
            .or_else(|| whole.pointer("/response/error"))
            .unwrap_or(whole);
        let error = error.get(0).unwrap_or(error);
        let message = [
            error.get("message"),
            Some(error),
            whole.get("detail"),
            whole.get("message"),
        ]
        .into_iter()
        .flatten()
        .find_map(Value::as_str)
        .map_or_else(|| whole.to_string(), str::to_owned);
        let mut words = Vec::new();
        for key in ["code", "type", "status"] {
            words.extend(
                [error, whole]
                    .iter()
                    .filter_map(|place| word(place.get(key)?)),
            );
        }
        let mut asked = None;
        for detail in error
            .get("details")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            words.extend(detail.get("reason").and_then(word));
            let violations = detail.get("violations").and_then(Value::as_array);
            words.extend(
                violations
                    .into_iter()
                    .flatten()
                    .filter_map(|violation| word(violation.get("quotaId")?)),
            );
            let delay = detail.get("retryDelay").and_then(Value::as_str);
            asked = asked.or(delay.and_then(|delay| wait::seconds(delay.strip_suffix('s')?)));
        }
        let status = status.or_else(|| {
            let codes = [
                error.get("status_code"),
                error.get("code"),
                whole.get("code"),
            ];
            codes.into_iter().flatten().find_map(status_code)
        });
        let retry_after = asked.or(retry_after).or_else(|| wait::in_words(&message));
        Self {
            status,
            message,
            words,
            retry_after,
            should_retry: None,
        }
    }

    /// The error that a caller can act on.
    pub(crate) fn into_error(self, reporter: &Reporter) -> LlmError {
        let unsaid = self.status.map_or_else(
            || "it does not say why".to_owned(),
            |status| format!("it answered with status {status} and nothing else"),
        );
        let message = if self.message.is_empty() {
            &unsaid
        } else {
            &self.message
        };
        match self.kind() {
            Kind::Malformed => reporter.malformed(message),
            Kind::Auth => reporter.auth(message),
            Kind::Quota => reporter.quota(message),
            Kind::Blocked => reporter.blocked(message),
            Kind::NotFound => reporter.not_found(message),
            Kind::RateLimited => reporter.rate_limited(message, self.retry_after),
            Kind::InvalidRequest => reporter.invalid_request(message),
            Kind::Server => reporter.server(message, self.retry_after),
        }
    }

    fn kind(&self) -> Kind {
        match (self.kind_by_words(), self.should_retry) {
            // To wait does not help, it says, so what is spent is more than a rate.
            (Kind::RateLimited, Some(false)) => Kind::Quota,
            (Kind::Server, Some(false)) => Kind::InvalidRequest,
            (Kind::InvalidRequest, Some(true)) => Kind::Server,
            (kind, _) => kind,
        }
    }

    /// Words come before the status: providers send bad keys as 400 and empty accounts as 429.
    fn kind_by_words(&self) -> Kind {
        if self.says("tool_use_failed") {
            Kind::Malformed
        } else if self.is_about_the_key() {
            Kind::Auth
        } else if self.is_about_money() {
            Kind::Quota
        } else if self
            .words
            .iter()
            .any(|word| word.contains("content_filter") || word.contains("content_policy"))
        {
            Kind::Blocked
        } else if self.says("model_not_found") || self.says("not_found") {
            Kind::NotFound
        } else if self.says("rate_limit_exceeded") || self.says("resource_exhausted") {
            Kind::RateLimited
        } else {
            self.kind_by_status()
        }
    }

    fn kind_by_status(&self) -> Kind {
        match self.status {
            Some(401 | 403) => Kind::Auth,
            Some(402) => Kind::Quota,
            Some(404) => Kind::NotFound,
            Some(429) => Kind::RateLimited,
            // A time-out, a lock, too early, the caller gone: all pass.
            Some(408 | 409 | 425 | 499) => Kind::Server,
            Some(400..=498) => Kind::InvalidRequest,
            None if self.is_about_the_request() => Kind::InvalidRequest,
            _ => Kind::Server,
        }
    }

    /// In a stream, where no status says it: `invalid_prompt`, `image_too_large` and the like.
    fn is_about_the_request(&self) -> bool {
        self.says("context_length_exceeded")
            || self
                .words
                .iter()
                .any(|word| word.starts_with("invalid_") || word.contains("image"))
    }

    fn is_about_the_key(&self) -> bool {
        let message = self.message.to_lowercase();
        self.says("api_key_invalid")
            || self.says("invalid_api_key")
            || self.says("authentication_error")
            || ["incorrect api key", "invalid api key", "api key not valid"]
                .iter()
                .any(|phrase| message.contains(phrase))
    }

    fn is_about_money(&self) -> bool {
        const SPENT: [&str; 5] = [
            "insufficient_quota",
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
        ];
        SPENT.iter().any(|word| self.says(word))
            || self.words.iter().any(|word| word.contains("perday"))
            || has_no_allowance(&self.message)
            // OpenRouter's, which has no word of its own.
            || self.message.contains("free-models-per-day")
    }

    fn says(&self, word: &str) -> bool {
        self.words.iter().any(|said| said == word)
    }
}

enum Kind {
    Malformed,
    Auth,
    Quota,
    Blocked,
    NotFound,
    RateLimited,
    InvalidRequest,
    Server,
}

fn word(value: &Value) -> Option<String> {
    value.as_str().map(str::to_lowercase)
}

/// A status given as `400` or as `"400"`.
fn status_code(value: &Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number)
        .ok()
        .filter(|code| (400..600).contains(code))
}

/// Gemini's free tier says `limit: 0` for a model that it does not include.
fn has_no_allowance(message: &str) -> bool {
    message
        .split("limit: 0")
        .skip(1)
        .any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderName;

    fn error(status: u16, body: &str) -> LlmError {
        Refusal::read(body, Some(status), None).into_error(&Reporter::new("p".into(), None))
    }

    #[test]
    fn a_refusal_is_told_by_its_words_before_its_status() {
        let cases: [(u16, &str, &str); 12] = [
            (
                400,
                r#"{"error":{"message":"m","details":[{"reason":"API_KEY_INVALID"}]}}"#,
                "Auth",
            ),
            (
                400,
                r#"{"code":"invalid-argument","error":"Incorrect API key provided."}"#,
                "Auth",
            ),
            (401, r#"{"detail":"who are you"}"#, "Auth"),
            (
                429,
                r#"{"error":{"message":"m","type":"insufficient_quota"}}"#,
                "Quota",
            ),
            (
                429,
                r#"{"error":{"message":"limit: 0, model: x"}}"#,
                "Quota",
            ),
            (
                429,
                r#"{"error":{"message":"limit: 05, model: x"}}"#,
                "RateLimited",
            ),
            (
                400,
                r#"[{"error":{"message":"m","code":"content_filter"}}]"#,
                "Blocked",
            ),
            (
                400,
                r#"{"error":{"message":"m","code":"model_not_found"}}"#,
                "NotFound",
            ),
            (
                400,
                r#"{"error":{"message":"m","code":"tool_use_failed"}}"#,
                "Malformed",
            ),
            (413, "too large", "InvalidRequest"),
            (
                500,
                "data: {\"error\":{\"message\":\"m\"}}\n\ndata: [DONE]\n\n",
                "Server",
            ),
            (503, "", "Server"),
        ];
        for (status, body, expected) in cases {
            let error = format!("{:?}", error(status, body));
            assert!(
                error.starts_with(expected),
                "{status} {body} became {error}"
            );
        }
    }

    #[test]
    fn a_daily_allowance_is_a_quota_and_a_minute_is_a_rate() {
        let body = |id: &str| {
            format!(
                r#"{{"error":{{"message":"m","status":"RESOURCE_EXHAUSTED",
                "details":[{{"violations":[{{"quotaId":"{id}"}}]}},{{"retryDelay":"34.5s"}}]}}}}"#
            )
        };
        assert!(matches!(
            error(429, &body("RequestsPerDayFree")),
            LlmError::Quota { .. }
        ));
        let minute = error(429, &body("RequestsPerMinuteFree"));
        assert_eq!(minute.retry_after(), Some(Duration::from_millis(34_500)));
    }

    #[test]
    fn a_provider_that_says_whether_to_ask_again_is_believed() {
        let retryable = |status, body, advice: &str| {
            let headers = [(
                HeaderName::from_static("x-should-retry"),
                advice.parse().unwrap(),
            )];
            Refusal::read(body, Some(status), None)
                .with_advice(&headers.into_iter().collect())
                .into_error(&Reporter::new("p".into(), None))
                .is_retryable()
        };
        for (status, usually) in [(429, true), (500, true), (400, false)] {
            assert!(!retryable(status, "", "false"), "{status}");
            assert!(retryable(status, "", "true"), "{status}");
            assert_eq!(retryable(status, "", "perhaps"), usually, "{status}");
        }
        let spent = r#"{"error":{"type":"insufficient_quota"}}"#;
        assert!(!retryable(429, spent, "true"));
        assert!(!retryable(401, "", "true"));
    }
}
