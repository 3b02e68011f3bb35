//! The HTTP side: which path is answered by what, and what every answer has in common.

mod health;
mod measured;
mod metrics;
mod page;
mod problem;
mod query;
mod request_id;
mod sessions;
mod tools;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use matchit::{InsertError, Router};
use patter_llm::Circuit;
use patter_protocol::{InvalidId, SessionId};
use patter_session::SessionManager;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use tokio::time::{Instant, timeout};
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::request_id::{PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use tracing::{Span, error, info_span};

pub(crate) use health::Health;
pub(crate) use problem::Problem;
pub(crate) use query::Query;

use crate::admission::Admission;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::ws::{self, Connections};
use measured::MeasuredLayer;
use request_id::{NewRequestId, X_REQUEST_ID, remove_harmful_id};

/// What the answers are made of.
#[derive(Debug)]
pub(crate) struct App {
    /// The conversations.
    pub(crate) sessions: SessionManager,
    /// The open WebSockets.
    pub(crate) connections: Connections,
    /// Whether the store answers.
    pub(crate) health: Health,
    /// How far the server has come with stopping.
    pub(crate) shutdown: Shutdown,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// The circuit of each model.
    pub(crate) circuits: Vec<Circuit>,
    /// When the server was started.
    pub(crate) started_at: Instant,
}

/// The service of every connection.
pub(crate) type HttpService =
    BoxCloneService<Request<Incoming>, Response<UnsyncBoxBody<Bytes, Infallible>>, Infallible>;

type Reply = Result<Response<Full<Bytes>>, Problem>;

/// No answer takes longer; an open WebSocket is no answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// No path takes a larger body.
const MAX_BODY_BYTES: u64 = 64 * 1024;

#[derive(Debug, Clone, Copy)]
enum Route {
    Home,
    Health,
    Live,
    Ready,
    Metrics,
    Tools,
    Session,
    Events,
    WebSocket,
}

/// Builds the service.
///
/// # Errors
///
/// Where two routes contradict each other: a defect.
pub(crate) fn service(app: Arc<App>) -> Result<HttpService, InsertError> {
    let routes = Arc::new(routes()?);
    let templates = ROUTES.map(|(template, _)| template);
    let measured = MeasuredLayer::new(templates, Arc::clone(&app.metrics.http))?;
    let answer = service_fn(move |request| answer(Arc::clone(&app), Arc::clone(&routes), request));
    let service = ServiceBuilder::new()
        .layer(measured)
        .layer(SetSensitiveRequestHeadersLayer::new([
            AUTHORIZATION,
            COOKIE,
        ]))
        .map_request(remove_harmful_id)
        .layer(SetRequestIdLayer::new(X_REQUEST_ID, NewRequestId))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(PropagateRequestIdLayer::new(X_REQUEST_ID))
        .layer(SetResponseHeaderLayer::if_not_present(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ))
        .service(answer)
        .map_response(|response: Response<_>| response.map(BodyExt::boxed_unsync));
    Ok(service.boxed_clone())
}

const ROUTES: [(&str, Route); 10] = [
    ("/", Route::Home),
    ("/health", Route::Health),
    ("/health/live", Route::Live),
    ("/health/ready", Route::Ready),
    ("/metrics", Route::Metrics),
    ("/api/tools", Route::Tools),
    ("/api/sessions/{session_id}", Route::Session),
    ("/api/sessions/{session_id}/events", Route::Events),
    // Everything below it is an id, if mostly a bad one.
    ("/ws/session/", Route::WebSocket),
    ("/ws/session/{*session_id}", Route::WebSocket),
];

fn routes() -> Result<Router<Route>, InsertError> {
    let mut routes = Router::new();
    for (path, route) in ROUTES {
        routes.insert(path, route)?;
    }
    Ok(routes)
}

/// The path and not the query, which may hold what should not stand in a log.
fn span<B>(request: &Request<B>) -> Span {
    let request_id = request_id_of(request).unwrap_or_default();
    info_span!("request", method = %request.method(), path = request.uri().path(), request_id)
}

fn request_id_of<B>(request: &Request<B>) -> Option<String> {
    let id = request.extensions().get::<RequestId>()?;
    id.header_value().to_str().ok().map(str::to_owned)
}

/// Answers a request, whatever happens on the way.
async fn answer(
    app: Arc<App>,
    routes: Arc<Router<Route>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let request_id = request_id_of(&request);
    let answering = AssertUnwindSafe(dispatch(&app, &routes, request)).catch_unwind();
    let reply = match timeout(ANSWER_TIMEOUT, answering).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_panic)) => {
            error!("answering a request panicked");
            Err(Problem::internal())
        }
        Err(_elapsed) => Err(Problem::unavailable("timeout", "the answer took too long")),
    };
    Ok(reply.unwrap_or_else(|problem| problem.into_response(request_id.as_deref())))
}

async fn dispatch(app: &App, routes: &Router<Route>, request: Request<Incoming>) -> Reply {
    check(&request)?;
    let path = request.uri().path().to_owned();
    let Ok(found) = routes.at(&path) else {
        return page::file(&path, request.method(), request.headers());
    };
    check_method(request.method())?;
    let session_id = || session_id(found.params.get("session_id").unwrap_or_default());
    match found.value {
        Route::Home => page::home(request.headers()),
        Route::Health => Ok(health::report(app).await),
        Route::Live => Ok(health::live()),
        Route::Ready => health::ready(app).await,
        Route::Metrics => Ok(metrics::report(app)),
        Route::Tools => tools::list(app),
        Route::Session => sessions::show(app, &session_id()?).await,
        Route::Events => {
            let query = Query::parse(request.uri().query());
            sessions::events(app, &session_id()?, &query).await
        }
        Route::WebSocket if app.shutdown.draining().is_cancelled() => Err(Problem::draining()),
        Route::WebSocket => {
            let session_id = session_id()?;
            ws::open(app, request, session_id).await
        }
    }
}

/// What any request must keep to, whatever it is about.
fn check(request: &Request<Incoming>) -> Result<(), Problem> {
    if request
        .extensions()
        .get::<Arc<Admission>>()
        .is_some_and(|admission| admission.is_surplus())
    {
        return Err(Problem::unavailable(
            "overloaded",
            "the server has too many connections",
        ));
    }
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Problem::read_only());
    }
    if request.uri().authority().is_some() {
        return Err(Problem::bad_request(
            "this server is no proxy; ask for a path",
        ));
    }
    let hosts = request.headers().get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err(Problem::bad_request("`Host` must be given once"));
    }
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    if length
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: u64| length > MAX_BODY_BYTES)
    {
        let detail = format!("a body may have {MAX_BODY_BYTES} bytes");
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            detail,
        ));
    }
    Ok(())
}

/// Nothing can be changed over HTTP.
fn check_method(method: &Method) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD) {
        Ok(())
    } else {
        Err(Problem::read_only())
    }
}

/// A session id as it stands in a path.
fn session_id(segment: &str) -> Result<SessionId, Problem> {
    let text = percent_decode_str(segment).decode_utf8_lossy();
    text.parse()
        .map_err(|error: InvalidId| Problem::invalid_field("session_id", error.to_string()))
}

/// An answer that holds for this moment only.
fn json(status: StatusCode, body: &impl Serialize) -> Response<Full<Bytes>> {
    // The types that are answered hold nothing that JSON cannot.
    let mut response = Response::new(Full::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
