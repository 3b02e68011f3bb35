//! The admin port: what those who run the server see and do, on a listener of its own that the
//! configuration switches on. Nobody logs in here: who reaches the port is trusted, so it listens on
//! this machine alone unless the configuration says otherwise, and pages in a browser are refused.

mod guard;
mod log_level;
mod revoke;

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use patter_session::LiveSession;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::service_fn;
use tracing::info;

use crate::admission::Places;
use crate::http::{
    self as public, ANSWER_TIMEOUT, App, Body, Problem, Reply, checks, health, metrics, request_id,
};
use crate::server::accept;
use crate::shutdown::Shutdown;
use crate::telemetry::LogLevel;

/// People and a scraper or two.
const MAX_CONNECTIONS: usize = 32;
/// Nothing that is answered here takes long, and nobody is waited for at the end.
const LIMITS: accept::Limits = accept::Limits {
    longest_answer: ANSWER_TIMEOUT,
    last_answer: Duration::from_secs(1),
};

/// Where the admin port is, and what it can change.
#[derive(Debug)]
pub(crate) struct AdminPort {
    /// Takes its connections.
    pub(crate) listener: TcpListener,
    /// The logger of the process, if it is ours.
    pub(crate) log_level: Option<LogLevel>,
    /// The name that requests may use for it, besides addresses and `localhost`.
    pub(crate) host: String,
    /// How long the server serves on after it was asked to drain.
    pub(crate) drain_delay: Duration,
}

/// What its answers are made of.
struct Admin {
    app: Arc<App>,
    log_level: Option<LogLevel>,
    host: String,
    /// Cancelled when somebody has asked the server to drain.
    drain: CancellationToken,
}

/// Serves the admin port until `stop`: longer than the server itself, whose drain can be watched here.
pub(crate) async fn serve(port: AdminPort, app: Arc<App>, stop: &CancellationToken) {
    let shutdown = app.shutdown.clone();
    let measures = Arc::clone(&app.metrics.connections);
    let places = Places::new(MAX_CONNECTIONS, measures);
    let admin = Arc::new(Admin {
        app,
        log_level: port.log_level,
        host: port.host,
        drain: CancellationToken::new(),
    });
    let drain = admin.drain.clone();
    let answer = service_fn(move |request| answer(Arc::clone(&admin), request));
    let service = public::dressed(answer, &[]);
    let requests = tokio::select! {
        requests = accept::serve(port.listener, None, service, LIMITS, places, stop) => requests,
        never = drain_when_asked(&drain, &shutdown, port.drain_delay) => match never {},
    };
    requests.finish().await;
}

/// Does as SIGTERM does.
async fn drain_when_asked(
    asked: &CancellationToken,
    shutdown: &Shutdown,
    delay: Duration,
) -> Infallible {
    asked.cancelled().await;
    shutdown.announce();
    sleep(delay).await;
    shutdown.drain();
    pending().await
}

async fn answer(
    admin: Arc<Admin>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let request_id = request_id::of(&request);
    let reply = public::in_time(ANSWER_TIMEOUT, dispatch(&admin, request)).await;
    Ok(reply.unwrap_or_else(|problem| problem.into_response(request_id.as_deref())))
}

async fn dispatch(admin: &Admin, request: Request<Incoming>) -> Reply {
    checks::check(&request)?;
    guard::check(request.headers(), &admin.host)?;
    let app = &admin.app;
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    match request.uri().path() {
        "/health" if is_read => Ok(health::report(app).await),
        "/health/live" if is_read => Ok(health::live()),
        "/health/ready" if is_read => health::ready(app).await,
        "/metrics" if is_read => Ok(metrics::report(app)),
        "/admin/sessions" if is_read => Ok(sessions(app)),
        "/admin/log-level" if is_read => log_level::show(admin.log_level.as_ref()),
        "/admin/log-level" if request.method() == Method::PUT => {
            log_level::change(admin.log_level.as_ref(), request).await
        }
        "/admin/drain" if request.method() == Method::POST => Ok(drain(admin)),
        "/admin/revoke" if request.method() == Method::POST => {
            revoke::revoke(&app.authenticator, request).await
        }
        "/admin/flush-keys" if request.method() == Method::POST => {
            revoke::flush_keys(&app.authenticator)
        }
        "/health" | "/health/live" | "/health/ready" | "/metrics" | "/admin/sessions" => {
            Err(not_allowed("GET, HEAD"))
        }
        "/admin/log-level" => Err(not_allowed("GET, HEAD, PUT")),
        "/admin/drain" | "/admin/revoke" | "/admin/flush-keys" => Err(not_allowed("POST")),
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

/// `GET /admin/sessions`.
fn sessions(app: &App) -> Response<Body> {
    let sessions = app.sessions.live_sessions();
    let sessions: Vec<_> = sessions.iter().map(session).collect();
    public::json(StatusCode::OK, &json!({ "sessions": sessions }))
}

fn session(session: &LiveSession) -> Value {
    json!({
        "session_id": session.session_id,
        "since": session.since,
        "readers": session.readers,
        "answering": session.is_answering,
        "queued_messages": session.queued_messages,
    })
}

/// `POST /admin/drain`.
fn drain(admin: &Admin) -> Response<Body> {
    info!("asked to drain at the admin port");
    admin.drain.cancel();
    public::json(StatusCode::ACCEPTED, &json!({ "draining": true }))
}

fn not_allowed(allowed: &'static str) -> Problem {
    Problem::method_not_allowed(HeaderValue::from_static(allowed))
}
