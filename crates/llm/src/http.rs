//! One request over HTTP whose answer is a stream of events: deadlines for each phase, the key
//! kept to the provider's own address, refusals read and classified.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Response, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::{LlmError, TimeoutPhase};
use crate::http::refusal::Refusal;
use crate::report::Reporter;
use crate::settings::Timeouts;
use crate::sse::Pieces;

pub(crate) mod refusal;

/// Most bytes read of the body of a refusal.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// Where requests go. Its user and password, if it has any, never print.
#[derive(Clone)]
pub(crate) struct Endpoint(pub(crate) Url);

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}{}", self.0.scheme(), self.0.path())
    }
}

/// A connection pool to one provider.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: Client,
    timeouts: Timeouts,
    reporter: Reporter,
}

impl Transport {
    /// A pool for the given address. `headers` go with every request.
    ///
    /// A server on this machine is reached directly, not through a proxy that the environment
    /// names. No compression is asked for: it delays the first token. Redirects are not
    /// followed, for they would carry the key along.
    pub(crate) fn new(
        base: &Url,
        headers: HeaderMap,
        timeouts: Timeouts,
        reporter: Reporter,
    ) -> Result<Self, LlmError> {
        let mut client = Client::builder()
            .connect_timeout(timeouts.connect)
            .redirect(redirect::Policy::none())
            .default_headers(headers);
        if is_local(base) {
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|error| reporter.settings(&error.to_string()))?;
        Ok(Self {
            client,
            timeouts,
            reporter,
        })
    }

    /// Posts the body as JSON and returns when the provider has accepted it.
    pub(crate) async fn post(
        &self,
        url: Url,
        body: &(impl Serialize + Sync),
    ) -> Result<Pieces, LlmError> {
        let body = serde_json::to_vec(body)
            .map_err(|error| self.reporter.invalid_request(&error.to_string()))?;
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "text/event-stream")
            .body(Bytes::from(body));
        let limit = self.timeouts.headers;
        let response = match timeout(limit, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_timeout() => {
                return Err(self
                    .reporter
                    .timeout(TimeoutPhase::Headers, self.timeouts.connect));
            }
            Ok(Err(error)) => return Err(self.reporter.connection(error)),
            Err(_) => return Err(self.reporter.timeout(TimeoutPhase::Headers, limit)),
        };
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        if is_page(response.headers()) {
            return Err(self
                .reporter
                .malformed("a web page came instead of an answer; is the base URL right?"));
        }
        Ok(Pieces::new(
            response.bytes_stream(),
            self.timeouts,
            self.reporter.clone(),
        ))
    }

    async fn refusal(&self, mut response: Response) -> LlmError {
        let status = response.status();
        if status.is_redirection() {
            let target = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok());
            return self.reporter.invalid_request(&format!(
                "the base URL answers with a redirect to {}, which is not followed",
                target.unwrap_or("an unnamed place")
            ));
        }
        let deadline = Instant::now() + self.timeouts.headers;
        let mut body = Vec::new();
        while let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await {
            let room = MAX_REFUSAL_BYTES.saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
        let retry_after = refusal::retry_after(response.headers());
        Refusal::read(
            &String::from_utf8_lossy(&body),
            Some(status.as_u16()),
            retry_after,
        )
        .into_error(&self.reporter)
    }
}

/// A header that holds the key and is kept out of debug output.
pub(crate) fn secret_header(
    key: &SecretString,
    prefix: &str,
    reporter: &Reporter,
) -> Result<HeaderValue, LlmError> {
    let mut value = HeaderValue::from_str(&format!("{prefix}{}", key.expose_secret().trim()))
        .map_err(|_| reporter.settings("the key holds characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Parses a base URL, without its trailing slashes.
pub(crate) fn base_url(text: &str, reporter: &Reporter) -> Result<Url, LlmError> {
    let url = Url::parse(text.trim().trim_end_matches('/'))
        .map_err(|error| reporter.settings(&format!("the base URL is none: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(reporter.settings("the base URL does not begin with http:// or https://"));
    }
    Ok(url)
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

fn is_page(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

/// Seconds, which may have a fraction; `None` where they are no length of time or over a day.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    up_to_a_day(text.trim().parse().ok()?)
}

/// Milliseconds, otherwise as [`seconds`].
pub(crate) fn milliseconds(text: &str) -> Option<Duration> {
    up_to_a_day(text.trim().parse::<f64>().ok()? / 1000.0)
}

fn up_to_a_day(seconds: f64) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| *duration <= LONGEST)
}
