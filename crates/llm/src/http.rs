//! One request over HTTP whose answer is a stream of events: deadlines for each phase, the key
//! kept to the provider's own address, refusals read and classified.

use std::fmt;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Client, Response, Url, redirect};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use crate::deadline::Deadline;
use crate::error::{LlmError, TimeoutPhase};
use crate::http::refusal::Refusal;
use crate::report::Reporter;
use crate::settings::{RequestHeaders, Timeouts};
use crate::sse::Pieces;

pub(crate) mod provider;
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
    for_each: RequestHeaders,
}

impl Transport {
    /// A pool for the given address. `headers` go with every request, and what `for_each` makes.
    ///
    /// A server on this machine is reached directly, not through a proxy that the environment
    /// names. No compression is asked for: it delays the first token. Redirects are not
    /// followed, for they would carry the key along.
    pub(crate) fn new(
        base: &Url,
        headers: HeaderMap,
        for_each: RequestHeaders,
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
            for_each,
        })
    }

    /// Speaks for the provider.
    pub(crate) fn reporter(&self) -> &Reporter {
        &self.reporter
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
            .headers(self.for_each.make())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "text/event-stream")
            .body(Bytes::from(body));
        let sent = Instant::now();
        let whole = Deadline::new(TimeoutPhase::WholeAnswer, self.timeouts.whole_answer, sent);
        let headers =
            Deadline::new(TimeoutPhase::Headers, self.timeouts.headers, sent).or_earlier(whole);
        let response = match timeout_at(headers.at, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_timeout() => {
                return Err(self
                    .reporter
                    .timeout(TimeoutPhase::Headers, self.timeouts.connect));
            }
            Ok(Err(error)) => return Err(self.reporter.connection(error)),
            Err(_) => return Err(self.reporter.timeout(headers.phase, headers.limit)),
        };
        if !response.status().is_success() {
            return Err(self.refusal(response, whole).await);
        }
        self.check(response.headers())?;
        Ok(Pieces::new(
            response.bytes_stream(),
            self.timeouts,
            whole,
            self.reporter.clone(),
        ))
    }

    /// Whether what follows these headers can be an answer.
    fn check(&self, headers: &HeaderMap) -> Result<(), LlmError> {
        if is_page(headers) {
            return Err(self
                .reporter
                .malformed("a web page came instead of an answer; is the base URL right?"));
        }
        match compression(headers) {
            Some(coding) => Err(self.reporter.malformed(&format!(
                "the answer is compressed ({coding}) although nobody asked for it"
            ))),
            None => Ok(()),
        }
    }

    async fn refusal(&self, response: Response, whole: Deadline) -> LlmError {
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
        let deadline = Deadline::new(TimeoutPhase::Headers, self.timeouts.headers, Instant::now());
        let headers = response.headers().clone();
        let body = match compression(&headers) {
            // What cannot be read is left: the status says enough.
            Some(_) => Vec::new(),
            None => beginning(response, deadline.or_earlier(whole)).await,
        };
        Refusal::read(
            &String::from_utf8_lossy(&body),
            Some(status.as_u16()),
            refusal::wait::in_headers(&headers),
        )
        .with_advice(&headers)
        .into_error(&self.reporter)
    }
}

/// As much of a refusal as comes in time and is worth reading.
async fn beginning(mut response: Response, deadline: Deadline) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Ok(Some(chunk))) = timeout_at(deadline.at, response.chunk()).await {
        let room = MAX_REFUSAL_BYTES.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if chunk.len() >= room {
            break;
        }
    }
    body
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

/// How the body is compressed; nobody here asks for it, so nobody can read it.
fn compression(headers: &HeaderMap) -> Option<&str> {
    let coding = headers
        .get(CONTENT_ENCODING)?
        .to_str()
        .unwrap_or("?")
        .trim();
    (!coding.is_empty() && !coding.eq_ignore_ascii_case("identity")).then_some(coding)
}
