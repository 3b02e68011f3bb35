//! Data from the web: a tool that asks one URL, of which a model chooses the parameters and nothing else.

mod cache;
mod template;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use crate::secrets::Secrets;
use crate::web::{WebAnswer, WebClient, WebRequest};
use crate::{Tool, ToolContext, ToolError, ToolSpec, text_parameters};
use cache::Cache;
use template::Template;

/// So much of what a source says when it refuses is shown to the model.
const MAX_REFUSAL_CHARACTERS: usize = 500;

/// Larger answers are not given again: a source keeps some megabytes at the most.
const MAX_CACHED_BYTES: usize = 64 * 1024;

/// Headers that are the client's own business, or would lie about who asks.
const FORBIDDEN_HEADERS: [&str; 6] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "upgrade",
];

/// What is asked, and how.
#[derive(Clone, Default)]
pub struct HttpSourceOptions {
    /// What the source has and when to ask it, in plain words for the model.
    pub description: String,
    /// Where it is. `{NAME}` in the path or the query stands for the parameter NAME.
    pub url: String,
    /// Name and description of each parameter. All are texts, and needed.
    pub parameters: BTreeMap<String, String>,
    /// Whether it is asked by POST: with those parameters that the URL has no place for as a JSON object.
    pub post: bool,
    /// Headers that go along, secrets among them.
    pub headers: BTreeMap<String, String>,
    /// Of a JSON answer, this part is wanted (a JSON Pointer, RFC 6901); all of it where `None`.
    pub pointer: Option<String>,
    /// How long an answer may be given again. Zero: it is not kept. Nor is one that was asked for by POST.
    pub cache: Duration,
}

/// Without what may be secret: headers, and the query.
impl fmt::Debug for HttpSourceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSourceOptions")
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

/// Why a source cannot be offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpSourceError {
    /// The URL cannot be used.
    #[error("the URL cannot be used: {0}")]
    Url(String),
    /// A parameter stands in the URL and is not described, or the other way round.
    #[error("the parameter `{0}` must both be described and have a place")]
    Parameter(String),
    /// The pointer is none.
    #[error("`{0}` is no JSON pointer: it begins with `/`")]
    Pointer(String),
    /// A header is none, or must not be set.
    #[error("the header `{0}` cannot be set")]
    Header(String),
}

/// See the [module](self). The result is `{"source", "data"}`: the name, and the JSON or the text of the
/// answer.
#[derive(Debug)]
pub struct HttpSource {
    spec: ToolSpec,
    client: WebClient,
    template: Template,
    method: Method,
    headers: HeaderMap,
    secrets: Secrets,
    pointer: Option<String>,
    cache: Cache,
}

impl HttpSource {
    /// A source of this name.
    ///
    /// # Errors
    ///
    /// [`HttpSourceError`]: what is wrong with the options.
    pub fn new(
        name: impl Into<String>,
        options: HttpSourceOptions,
        client: WebClient,
    ) -> Result<Self, HttpSourceError> {
        let template = Template::parse(&options.url).map_err(HttpSourceError::Url)?;
        if let Some(pointer) = options.pointer.as_ref().filter(|it| !it.starts_with('/')) {
            return Err(HttpSourceError::Pointer(pointer.clone()));
        }
        let is_known = |name: &str| options.parameters.contains_key(name);
        if let Some(name) = template.names().find(|name| !is_known(name)) {
            return Err(HttpSourceError::Parameter(name.to_owned()));
        }
        let has_place = |name: &str| options.post || template.has(name);
        if let Some(name) = options.parameters.keys().find(|name| !has_place(name)) {
            return Err(HttpSourceError::Parameter(name.clone()));
        }
        Ok(Self {
            spec: ToolSpec {
                name: name.into(),
                parameters: text_parameters::schema(&options.parameters),
                description: options.description,
            },
            client,
            headers: headers(&options.headers)?,
            secrets: Secrets::new(options.headers.values()),
            method: if options.post {
                Method::POST
            } else {
                Method::GET
            },
            template,
            pointer: options.pointer,
            cache: Cache::new(if options.post {
                Duration::ZERO
            } else {
                options.cache
            }),
        })
    }

    fn request(
        &self,
        arguments: &Map<String, Value>,
        call_id: &str,
    ) -> Result<WebRequest, ToolError> {
        let arguments = text_parameters::read(arguments, &self.spec.parameters)?;
        let url = self.template.fill(&arguments)?;
        let mut headers = self.headers.clone();
        let mut body = None;
        if self.method == Method::POST {
            let rest = arguments
                .iter()
                .filter(|(name, _)| !self.template.has(name));
            let rest: BTreeMap<_, _> = rest.collect();
            body = Some(Bytes::from(json!(rest).to_string()));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            // draft-ietf-httpapi-idempotency-key-header: who gets the same call twice can tell.
            if let Ok(key) = HeaderValue::from_str(&format!("\"{call_id}\"")) {
                headers.insert(HeaderName::from_static("idempotency-key"), key);
            }
        }
        Ok(WebRequest {
            method: self.method.clone(),
            url,
            headers,
            body,
        })
    }

    /// What is answered, without secrets, and how many bytes it took.
    async fn ask(&self, request: WebRequest) -> Result<(Value, usize), ToolError> {
        let answer = self.client.fetch(request).await?;
        let mut data = self.data(&answer)?;
        self.secrets.hide_in(&mut data);
        Ok((data, answer.body.len()))
    }

    fn data(&self, answer: &WebAnswer) -> Result<Value, ToolError> {
        let text = String::from_utf8_lossy(&answer.body);
        if !answer.status.is_success() {
            let said: String = text.chars().take(MAX_REFUSAL_CHARACTERS).collect();
            let status = answer.status.as_u16();
            return Err(ToolError::Failed(format!(
                "the source answered {status}: {said}"
            )));
        }
        let broken = |error: serde_json::Error| {
            ToolError::InvalidOutput(format!("the answer is broken JSON: {error}"))
        };
        match &self.pointer {
            None if !answer.is_json => Ok(Value::String(text.into_owned())),
            None => serde_json::from_slice(&answer.body).map_err(broken),
            Some(pointer) => {
                let mut all: Value = serde_json::from_slice(&answer.body).map_err(broken)?;
                let found = all.pointer_mut(pointer).map(Value::take);
                found.ok_or_else(|| {
                    ToolError::InvalidOutput(format!("the answer has nothing at `{pointer}`"))
                })
            }
        }
    }
}

#[async_trait]
impl Tool for HttpSource {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn writes(&self) -> bool {
        self.method == Method::POST
    }

    fn checks_arguments(&self) -> bool {
        true
    }

    async fn call(
        &self,
        arguments: Map<String, Value>,
        context: ToolContext,
    ) -> Result<Value, ToolError> {
        let request = self.request(&arguments, &context.call_id)?;
        let key = Cache::key(&request);
        let data = match self.cache.get(&key) {
            Some(data) => data,
            None => {
                let asked = self.ask(request).await;
                let (data, size) = asked.map_err(|error| self.secrets.hide_in_error(error))?;
                if size <= MAX_CACHED_BYTES {
                    self.cache.put(key, &data);
                }
                data
            }
        };
        Ok(json!({ "source": self.spec.name, "data": data }))
    }
}

fn headers(given: &BTreeMap<String, String>) -> Result<HeaderMap, HttpSourceError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let refused = || HttpSourceError::Header(name.clone());
        if FORBIDDEN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(refused());
        }
        let key: HeaderName = name.parse().map_err(|_| refused())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| refused())?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}
