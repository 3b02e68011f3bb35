//! A collector of traces that the test runs itself: it takes OTLP over HTTP, and tells what it got.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails is a failed test"
)]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{Span, status};
use prost::Message;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// As it should.
    Well,
    /// With a status that refuses.
    Refusing,
    /// Never.
    Silent,
    /// With a body that has no end.
    Endless,
}

/// See the [module](self).
pub(crate) struct Collector {
    endpoint: String,
    received: Arc<Mutex<Received>>,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Received {
    spans: Vec<Span>,
    resource: Vec<KeyValue>,
    headers: Vec<(String, HeaderMap)>,
}

impl Collector {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::<Mutex<Received>>::default();
        let mut serving = JoinSet::new();
        let taken = Arc::clone(&received);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let taken = Arc::clone(&taken);
                let service =
                    service_fn(move |request| answer(manner, Arc::clone(&taken), request));
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                connections.spawn(async move {
                    let _ended = connection.await;
                });
            }
        });
        Self {
            endpoint,
            received,
            _serving: serving,
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Path and headers of each request.
    pub(crate) fn requests(&self) -> Vec<(String, HeaderMap)> {
        self.received.lock().unwrap().headers.clone()
    }

    /// What the process said of itself.
    pub(crate) fn resource(&self, key: &str) -> Value {
        value_of(&self.received.lock().unwrap().resource, key)
    }

    /// All spans with this name.
    pub(crate) fn named(&self, name: &str) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let spans = received.spans.iter().filter(|span| span.name == name);
        spans.cloned().collect()
    }

    /// The one span with this name.
    pub(crate) fn the(&self, name: &str) -> Span {
        let mut spans = self.named(name);
        let Some(span) = spans.pop().filter(|_| spans.is_empty()) else {
            let received = self.received.lock().unwrap();
            let names: Vec<_> = received.spans.iter().map(|span| &span.name).collect();
            panic!("there is not one span `{name}` in {names:?}");
        };
        span
    }

    /// Everything that was received, as text.
    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.received.lock().unwrap().spans)
    }
}

async fn answer(
    manner: Manner,
    taken: Arc<Mutex<Received>>,
    request: Request<Incoming>,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, Infallible> {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let export = ExportTraceServiceRequest::decode(body).unwrap();
    {
        let mut received = taken.lock().unwrap();
        received.headers.push((path, headers));
        for of_resource in export.resource_spans {
            received.resource = of_resource.resource.unwrap().attributes;
            for of_scope in of_resource.scope_spans {
                received.spans.extend(of_scope.spans);
            }
        }
    }
    let mut response = Response::new(Empty::new().boxed_unsync());
    match manner {
        Manner::Well => {}
        Manner::Refusing => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
        Manner::Silent => std::future::pending().await,
        Manner::Endless => {
            let lies = stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(&[b'x'; 65536]))));
            *response.body_mut() = StreamBody::new(lies).boxed_unsync();
        }
    }
    Ok(response)
}

/// An attribute; null where there is none.
pub(crate) fn attribute(span: &Span, key: &str) -> Value {
    value_of(&span.attributes, key)
}

/// Whether the span says that something failed.
pub(crate) fn is_failed(span: &Span) -> bool {
    let status = span.status.as_ref();
    status.is_some_and(|status| status.code() == status::StatusCode::Error)
}

fn value_of(attributes: &[KeyValue], key: &str) -> Value {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    found
        .and_then(|it| it.value.as_ref())
        .map_or(Value::Null, json_of)
}

fn json_of(value: &AnyValue) -> Value {
    match value.value.as_ref().unwrap() {
        any_value::Value::StringValue(text) => json!(text),
        any_value::Value::BoolValue(flag) => json!(flag),
        any_value::Value::IntValue(number) => json!(number),
        any_value::Value::DoubleValue(number) => json!(number),
        any_value::Value::ArrayValue(array) => array.values.iter().map(json_of).collect(),
        other => panic!("{other:?}"),
    }
}

/// Whether the one is directly below the other.
pub(crate) fn is_child(span: &Span, parent: &Span) -> bool {
    span.parent_span_id == parent.span_id && span.trace_id == parent.trace_id
}

/// Whether the one took no time that the other did not.
pub(crate) fn is_within(span: &Span, parent: &Span) -> bool {
    span.start_time_unix_nano >= parent.start_time_unix_nano
        && span.end_time_unix_nano <= parent.end_time_unix_nano
}

/// Whether a `traceparent` names this span.
pub(crate) fn is_named(traceparent: &str, span: &Span) -> bool {
    traceparent == format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id))
}

/// As `traceparent` has it.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
