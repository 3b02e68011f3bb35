//! The HTTP side: which path is answered by what, and what every answer has in common.

pub(crate) mod access;
mod analytics;
mod asyncapi;
pub(crate) mod body;
pub(crate) mod checks;
mod docs;
pub(crate) mod doors;
pub(crate) mod health;
mod layers;
mod measured;
mod messages;
pub(crate) mod metrics;
mod models;
mod negotiation;
mod openapi;
mod page;
mod problem;
mod query;
pub(crate) mod request_id;
mod routes;
mod search;
mod sessions;
mod tickets;
mod tools;
mod trace;
mod usage;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use patter_llm::Circuit;
use patter_session::SessionManager;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tracing::error;

pub(crate) use body::Body;
pub(crate) use doors::Doors;
pub(crate) use health::Health;
pub(crate) use layers::{HttpService, dressed, service};
pub(crate) use negotiation::{wants, weak_etag};
pub(crate) use problem::Problem;
pub(crate) use query::Query;

use crate::admission::Peer;
use crate::auth::{Authenticator, Caller, Origin, Shown};
use crate::commands::ModelsReport;
use crate::limits::CallerLimits;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::wiring::Store;
use crate::ws::{self, Connections};
use access::AccessRules;
use routes::{MAX_BODY_BYTES, Route, Routes};

/// A file of many megabytes may take so long on its way and into the store.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(120);
/// So many of them are held in memory at the same time; read, one takes many times its size.
pub(crate) const MAX_IMPORTS: usize = 1;

/// What the answers are made of.
#[derive(Debug)]
pub(crate) struct App {
    /// The conversations.
    pub(crate) sessions: SessionManager,
    /// The open WebSockets.
    pub(crate) connections: Connections,
    /// What is asked of the store from outside a conversation.
    pub(crate) archive: Arc<dyn Store>,
    /// Whether the store answers.
    pub(crate) health: Health,
    /// How far the server has come with stopping.
    pub(crate) shutdown: Shutdown,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// The circuit of each model.
    pub(crate) circuits: Vec<Circuit>,
    /// What is known about models, and which are used.
    pub(crate) models: ModelsReport,
    /// Finds out who asks.
    pub(crate) authenticator: Arc<Authenticator>,
    /// What one caller may take.
    pub(crate) limits: Arc<CallerLimits>,
    /// What those may who ask.
    pub(crate) access: AccessRules,
    /// By which names and of which pages it may be asked.
    pub(crate) doors: Doors,
    /// A place for each file that is being imported.
    pub(crate) imports: Semaphore,
    /// When the server was started.
    pub(crate) started_at: Instant,
}

pub(crate) type Reply = Result<Response<Body>, Problem>;

/// No answer begins later than this, but those that wait for a model. An open WebSocket is no answer.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

async fn answer(
    app: Arc<App>,
    routes: Arc<Routes>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if is_about_the_server(&request) {
        return Ok(no_content());
    }
    let request_id = request_id::of(&request);
    #[cfg(feature = "autobahn-echo")]
    if request.uri().path() == ws::echo::PATH {
        let reply = ws::echo::open(&app, request);
        return Ok(reply.unwrap_or_else(|problem| problem.into_response(request_id.as_deref())));
    }
    let found = find(&app, &routes, &request);
    let reply = match found {
        Ok(found) => {
            let limit = time_limit(&app, found.route);
            in_time(limit, authenticated(&app, found, request)).await
        }
        Err(problem) => Err(problem),
    };
    Ok(reply.unwrap_or_else(|problem| problem.into_response(request_id.as_deref())))
}

/// `OPTIONS *` asks what the server as a whole can do.
fn is_about_the_server<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS && request.uri().path() == "*"
}

fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allow = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE, OPTIONS");
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// The answer, or why there is none, whatever happens on the way to it.
pub(crate) async fn in_time(limit: Duration, answering: impl Future<Output = Reply>) -> Reply {
    let answering = AssertUnwindSafe(answering).catch_unwind();
    match timeout(limit, answering).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_panic)) => {
            error!("answering a request panicked");
            Err(Problem::internal())
        }
        Err(_elapsed) => Err(Problem::unavailable("timeout", "the answer took too long")),
    }
}

/// What a request asks for: a route, and what stands in its path in the place of a parameter. No path has
/// two.
struct Found {
    route: Route,
    parameter: Option<String>,
}

fn find(app: &App, routes: &Routes, request: &Request<Incoming>) -> Result<Found, Problem> {
    checks::check(request)?;
    app.doors.host(request.headers())?;
    checks::origin(request, &app.doors)?;
    let Ok(found) = routes.at(request.uri().path()) else {
        return Ok(Found {
            route: Route::File,
            parameter: None,
        });
    };
    trace::route(request.method(), found.value.template);
    let route = found.value.route(request.method());
    checks::length(
        request,
        route.as_ref().map_or(MAX_BODY_BYTES, |it| it.body_limit()),
    )?;
    let route = route.map_err(Problem::method_not_allowed)?;
    if route == Route::WebSocket {
        app.doors.page(request.headers())?;
    }
    if route == Route::WebSocket && app.shutdown.draining().is_cancelled() {
        return Err(Problem::draining());
    }
    Ok(Found {
        route,
        parameter: found
            .params
            .iter()
            .next()
            .map(|(_, value)| value.to_owned()),
    })
}

/// How long the answer may take to begin.
fn time_limit(app: &App, route: Route) -> Duration {
    let settings = app.sessions.settings();
    match route {
        Route::Say => settings.turn_timeout + ANSWER_TIMEOUT,
        Route::EndSession | Route::DeleteSession => settings.summary_timeout + ANSWER_TIMEOUT,
        Route::ImportSession => IMPORT_TIMEOUT,
        _ => ANSWER_TIMEOUT,
    }
}

async fn authenticated(app: &App, found: Found, request: Request<Incoming>) -> Reply {
    let origin = origin(app, &request);
    let caller = if found.route.is_public() {
        Caller::anyone(origin)
    } else {
        who_asks(app, &found, &request, origin).await?
    };
    let names_session = found.parameter.is_some() || found.route == Route::Usage;
    if !names_session || found.route.is_public() {
        return dispatch(app, found, request, &caller).await;
    }
    // The name may be a guess.
    app.limits.may_ask_for_session(&caller)?;
    let reply = dispatch(app, found, request, &caller).await;
    if reply.as_ref().is_err_and(Problem::is_not_found) {
        app.limits.missed(&caller);
    }
    reply
}

/// The caller that the request's credential names. Pages of others are sent away before that: with cookies
/// or without, theirs is no credential.
async fn who_asks(
    app: &App,
    found: &Found,
    request: &Request<Incoming>,
    origin: Origin,
) -> Result<Caller, Problem> {
    let session_id;
    let query = Query::parse(request.uri().query());
    let socket = if found.route == Route::WebSocket {
        session_id = checks::session_id(found.parameter.as_deref().unwrap_or_default())?;
        Some((&session_id, query.single("ticket")?))
    } else {
        None
    };
    let headers = request.headers();
    let shown = Shown { headers, socket };
    Ok(app.authenticator.authenticate(shown, origin).await?)
}

/// Where a request comes from.
fn origin(app: &App, request: &Request<Incoming>) -> Origin {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(peer)| peer.ip());
    app.limits.origin(peer, request.headers())
}

async fn dispatch(app: &App, found: Found, request: Request<Incoming>, caller: &Caller) -> Reply {
    let session_id = || checks::session_id(found.parameter.as_deref().unwrap_or_default());
    let query = request.uri().query().map(str::to_owned);
    let query = Query::parse(query.as_deref());
    match found.route {
        Route::Home => page::home(request.headers()),
        Route::File => page::file(request.uri().path(), request.method(), request.headers()),
        Route::Health => Ok(health::report(app).await),
        Route::Live => Ok(health::live()),
        Route::Ready => health::ready(app).await,
        Route::Metrics => metrics::for_caller(app, caller),
        Route::OpenApi => Ok(openapi::serve(request.headers())),
        Route::AsyncApi => Ok(asyncapi::serve(request.headers())),
        Route::DocsRedirect => Ok(docs::redirect()),
        Route::Docs => docs::file(request.uri().path(), request.headers()),
        Route::Models => Ok(models::list(app)),
        Route::Tools => Ok(tools::list(app)),
        Route::Search => search::search(app, caller, &query).await,
        Route::Analytics => analytics::analytics(app, caller, &query).await,
        Route::Usage => usage::usage(app, &query, caller).await,
        Route::ListSessions => sessions::list(app, caller, &query).await,
        Route::WsTicket => tickets::issue(app, request, caller).await,
        Route::MintSession => {
            app.limits.new_session(caller)?;
            sessions::mint(app, caller, request).await
        }
        Route::ImportSession => {
            app.limits.new_session(caller)?;
            sessions::import(app, caller, request, &query).await
        }
        Route::Export => sessions::export(app, caller, &session_id()?, &query).await,
        Route::NameSession => sessions::rename(app, caller, request, &session_id()?).await,
        Route::DeleteSession => sessions::delete(app, caller, &session_id()?).await,
        Route::ShowSession => sessions::show(app, caller, &session_id()?, request.headers()).await,
        Route::EndSession => sessions::end(app, caller, &session_id()?).await,
        Route::Events => {
            sessions::events(app, caller, &session_id()?, &query, request.headers()).await
        }
        Route::SessionAndEvents => sessions::with_events(app, caller, &session_id()?).await,
        Route::Say => messages::say(app, caller, request, session_id()?).await,
        Route::WebSocket => {
            let session_id = session_id()?;
            ws::open(app, request, session_id, caller).await
        }
    }
}

/// An answer that holds for this moment only.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    json_bytes(status, json_text(body))
}

fn json_text(body: &impl Serialize) -> Bytes {
    // The types that are answered hold nothing that JSON cannot.
    serde_json::to_vec(body).unwrap_or_default().into()
}

/// The same of what is JSON already.
fn json_bytes(status: StatusCode, json: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(body::whole(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    never_cached(headers);
    response
}

fn never_cached(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
