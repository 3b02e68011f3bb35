//! What is done around every request, whatever it asks for: its name, its line in the log, the headers of its
//! answer, other origins, compression.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, RETRY_AFTER,
    SEC_WEBSOCKET_PROTOCOL, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use matchit::InsertError;
use tower::util::{BoxCloneService, option_layer};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use tracing::{Span, info_span};

use super::measured::MeasuredLayer;
use super::request_id::{self, NewRequestId, X_REQUEST_ID, remove_harmful_id};
use super::{App, Body, answer, routes, trace};

/// The service of every connection.
pub(crate) type HttpService = BoxCloneService<Request<Incoming>, Response<Body>, Infallible>;

/// Builds the service; pages of the origins in `cors` may use it, and no others. With TLS of our own, browsers
/// are told to come by nothing else.
///
/// # Errors
///
/// Where two routes contradict each other: a defect.
pub(crate) fn service(
    app: Arc<App>,
    cors: &[String],
    is_tls: bool,
) -> Result<HttpService, InsertError> {
    let routes = Arc::new(routes::routes()?);
    let measured = MeasuredLayer::new(Arc::clone(&routes), Arc::clone(&app.metrics.http));
    let answer = service_fn(move |request| answer(Arc::clone(&app), Arc::clone(&routes), request));
    let only_tls = SetResponseHeaderLayer::overriding(
        STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000"),
    );
    Ok(dressed(
        ServiceBuilder::new()
            .layer(option_layer(is_tls.then_some(only_tls)))
            .layer(measured)
            .service(answer),
        cors,
    ))
}

/// What all requests and answers have in common, around what answers them.
pub(crate) fn dressed<S>(answer: S, cors: &[String]) -> HttpService
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let service = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(BodyExt::boxed_unsync))
        .layer(SetSensitiveRequestHeadersLayer::new([
            AUTHORIZATION,
            COOKIE,
            // A token may stand there, too.
            SEC_WEBSOCKET_PROTOCOL,
        ]))
        .map_request(remove_harmful_id)
        .layer(SetRequestIdLayer::new(X_REQUEST_ID, NewRequestId))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                // What is refused for a while is no failure, and a failure has a line of its own.
                .on_failure(()),
        )
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(trace::request)
                .on_request(())
                .on_response(|answer: &Response<_>, _latency: Duration, span: &Span| {
                    trace::answered(span, answer.status());
                })
                .on_eos(())
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::new(X_REQUEST_ID))
        .layer(SetResponseHeaderLayer::if_not_present(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ))
        .layer(option_layer(other_origins(cors)))
        // Neither what is compressed already nor an event stream, whose pieces must not wait.
        .layer(CompressionLayer::new())
        .service(answer);
    service.boxed_clone()
}

/// The path and not the query, which may hold what should not stand in a log.
fn span<B>(request: &Request<B>) -> Span {
    let request_id = request_id::of(request).unwrap_or_default();
    let path = shortened(request.uri().path());
    info_span!("request", method = %request.method(), path, request_id)
}

/// So much of a path as a line needs. A path is ASCII.
pub(super) fn shortened(path: &str) -> &str {
    const MAX_SHOWN_BYTES: usize = 256;
    path.get(..MAX_SHOWN_BYTES).unwrap_or(path)
}

/// What pages of other origins may do: all that ours may, without credentials of the browser's.
fn other_origins(allowed: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = allowed
        .iter()
        .filter_map(|origin| HeaderValue::try_from(origin).ok())
        .collect();
    let headers = [
        AUTHORIZATION,
        CONTENT_TYPE,
        IF_NONE_MATCH,
        X_REQUEST_ID,
        HeaderName::from_static("idempotency-key"),
        HeaderName::from_static("last-event-id"),
        HeaderName::from_static("traceparent"),
        HeaderName::from_static("tracestate"),
    ];
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers(headers)
        .expose_headers([ETAG, RETRY_AFTER, WWW_AUTHENTICATE, X_REQUEST_ID])
        .max_age(Duration::from_secs(3600));
    (!origins.is_empty()).then(|| layer.allow_origin(AllowOrigin::list(origins)))
}
