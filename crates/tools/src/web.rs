//! Requests to the web on behalf of a model, which may have been told by anybody where to send them:
//! guarded against those that lead back home, and bounded in time, bytes and redirects.
//!
//! A URL is [checked](rules) before it is asked, that of each redirect too. A name is resolved once, and
//! [only if all its addresses are public](resolve) it is connected to, at those addresses. Nothing of the
//! environment (proxies, cookies, credentials) goes along.

mod address;
mod body;
mod resolve;
mod rules;

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::dns::Resolve;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use tokio::time::timeout;
use url::Url;

use crate::ToolError;
use resolve::{LeadsHome, PublicOnly, System};
pub use rules::WebRules;
use rules::{Way, blocked};

/// What a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebLimits {
    /// For finding the host and connecting to it. 3 seconds.
    pub connect_timeout: Duration,
    /// For all of it, redirects and body included. 15 seconds.
    pub timeout: Duration,
    /// How many redirects are followed. 3.
    pub max_redirects: usize,
    /// Bytes of a body as they come. 1 MiB.
    pub max_received_bytes: usize,
    /// Bytes of a body without its encoding. 2 MiB: as JSON that is read, it may take ten times that.
    pub max_decoded_bytes: usize,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(15),
            max_redirects: 3,
            max_received_bytes: 1024 * 1024,
            max_decoded_bytes: 2 * 1024 * 1024,
        }
    }
}

/// A client for tools. Cloning it is cheap and shares the connections.
#[derive(Clone)]
pub struct WebClient {
    rules: Arc<WebRules>,
    limits: WebLimits,
    /// Makes headers for each request.
    for_each: Option<Arc<dyn Fn() -> HeaderMap + Send + Sync>>,
    public: Client,
    /// For what the rules trust.
    trusted: Client,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct WebRequest {
    pub(crate) method: Method,
    pub(crate) url: String,
    /// Not sent on to another origin.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct WebAnswer {
    pub(crate) status: StatusCode,
    pub(crate) is_json: bool,
    pub(crate) body: Vec<u8>,
}

impl WebClient {
    /// A client that keeps to these rules.
    ///
    /// # Errors
    ///
    /// [`ToolError::Failed`] where the system has no usable TLS.
    pub fn new(rules: WebRules, limits: WebLimits) -> Result<Self, ToolError> {
        Self::resolving(rules, limits, Arc::new(System), address::is_public)
    }

    fn resolving(
        rules: WebRules,
        limits: WebLimits,
        system: Arc<dyn Resolve>,
        is_public: fn(IpAddr) -> bool,
    ) -> Result<Self, ToolError> {
        let inner = Arc::clone(&system);
        Ok(Self {
            rules: Arc::new(rules),
            limits,
            for_each: None,
            public: build(Arc::new(PublicOnly { inner, is_public }), limits, None)?,
            trusted: build(system, limits, None)?,
        })
    }

    /// Headers that are made for each request, within the span of who asks: for the context of a
    /// trace, such as `traceparent`. They are not sent on to another origin.
    #[must_use]
    pub fn headers(mut self, make: impl Fn() -> HeaderMap + Send + Sync + 'static) -> Self {
        self.for_each = Some(Arc::new(make));
        self
    }

    /// Asks, and gives the answer, whatever its status is.
    ///
    /// # Errors
    ///
    /// [`ToolError::BlockedAddress`], [`ToolError::Timeout`], [`ToolError::TooLarge`], and
    /// [`ToolError::Failed`] where nobody answers or the answer is broken. None of them has the query of
    /// the URL in it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub(crate) async fn fetch(&self, request: WebRequest) -> Result<WebAnswer, ToolError> {
        let limit = self.limits.timeout;
        let following = timeout(limit, self.follow(request));
        following.await.map_err(|_| ToolError::Timeout { limit })?
    }

    /// The client that asks this URL, and any other of its host: it connects only where the rules let it,
    /// and follows no redirect. It gives up an answer in which nothing comes for `silence`. For who has a
    /// way of its own to talk there.
    ///
    /// # Errors
    ///
    /// [`ToolError::BlockedAddress`].
    #[cfg(feature = "mcp")]
    pub(crate) fn raw(&self, url: &str, silence: Duration) -> Result<Client, ToolError> {
        let (_, way) = self.rules.parse(url)?;
        let resolver: Arc<dyn Resolve> = match way {
            Way::Public => Arc::new(PublicOnly {
                inner: Arc::new(System),
                is_public: address::is_public,
            }),
            Way::Trusted => Arc::new(System),
        };
        build(resolver, self.limits, Some(silence))
    }

    fn client(&self, way: Way) -> &Client {
        match way {
            Way::Public => &self.public,
            Way::Trusted => &self.trusted,
        }
    }

    async fn follow(&self, mut request: WebRequest) -> Result<WebAnswer, ToolError> {
        let (mut url, mut way) = self.rules.parse(&request.url)?;
        if let Some(make) = &self.for_each {
            request.headers.extend(make());
        }
        for _ in 0..=self.limits.max_redirects {
            let response = self.send(way, &url, &request).await?;
            let Some(target) = redirect_of(&response, &url)? else {
                return Ok(WebAnswer {
                    status: response.status(),
                    is_json: is_json(response.headers()),
                    body: body::read(response, self.limits).await?,
                });
            };
            way = self.rules.check(&target)?;
            if turns_into_get(response.status(), &request.method) {
                request.method = Method::GET;
                request.body = None;
                request.headers.remove(CONTENT_TYPE);
            }
            if target.origin() != url.origin() {
                if request.body.is_some() {
                    return Err(blocked(
                        "a redirect would send the arguments to another host",
                    ));
                }
                request.headers.clear();
            }
            url = target;
        }
        let most = self.limits.max_redirects;
        Err(ToolError::Failed(format!(
            "the answer is behind more than {most} redirects"
        )))
    }

    async fn send(&self, way: Way, url: &Url, request: &WebRequest) -> Result<Response, ToolError> {
        let mut sending = self
            .client(way)
            .request(request.method.clone(), url.clone())
            .headers(request.headers.clone())
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        sending.send().await.map_err(|error| {
            if let Some(home) = LeadsHome::among(&error) {
                return blocked(home.to_string());
            }
            let host = url.host_str().unwrap_or_default();
            ToolError::Failed(format!("cannot reach `{host}`: {}", first_cause(&error)))
        })
    }
}

impl fmt::Debug for WebClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebClient")
            .field("rules", &self.rules)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn build(
    resolver: Arc<dyn Resolve>,
    limits: WebLimits,
    silence: Option<Duration>,
) -> Result<Client, ToolError> {
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(limits.connect_timeout)
        .dns_resolver(resolver);
    if let Some(silence) = silence {
        builder = builder.read_timeout(silence);
    }
    let built = builder.build();
    built.map_err(|error| ToolError::Failed(format!("cannot set up HTTP: {error}")))
}

/// Where the answer sends on to, if it does.
fn redirect_of(response: &Response, url: &Url) -> Result<Option<Url>, ToolError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let target = response.headers().get(LOCATION);
    let target = target.and_then(|it| it.to_str().ok());
    let target = target.ok_or_else(|| blocked("a redirect leads nowhere"))?;
    let target = url.join(target);
    let target = target.map_err(|error| blocked(format!("a redirect leads nowhere: {error}")))?;
    Ok(Some(target))
}

/// As browsers do, by RFC 9110 section 15.4.
fn turns_into_get(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::SEE_OTHER => method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
        _ => false,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let essence = given
        .and_then(|it| it.split(';').next())
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// What went wrong first, which is what says most, and never has the URL in it.
fn first_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_timeout() {
        "it took too long".to_owned()
    } else if error.source().is_none() {
        "the request cannot be sent".to_owned()
    } else {
        cause.to_string()
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
