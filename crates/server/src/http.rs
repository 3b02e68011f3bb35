//! The HTTP side: which path is answered by what, and what every answer has in common.

mod analytics;
mod asyncapi;
pub(crate) mod body;
pub(crate) mod checks;
mod docs;
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
mod tools;
mod trace;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use patter_llm::Circuit;
use patter_session::SessionManager;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tracing::error;

pub(crate) use body::Body;
pub(crate) use health::Health;
pub(crate) use layers::{HttpService, dressed, service};
pub(crate) use negotiation::{wants, weak_etag};
pub(crate) use problem::Problem;
pub(crate) use query::Query;

use crate::admission::Peer;
use crate::auth::{Authenticator, Caller};
use crate::commands::ModelsReport;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::wiring::Store;
use crate::ws::{self, Connections};
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
    pub(crate) authenticator: Authenticator,
    /// Other origins whose pages may use the API.
    pub(crate) cors_origins: Vec<String>,
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
    let request_id = request_id::of(&request);
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
    checks::origin(request, &app.cors_origins)?;
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
    let address = address(&request);
    let caller = if found.route.is_public() {
        Caller::anyone(address)
    } else {
        let headers = request.headers();
        app.authenticator.authenticate(headers, address).await?
    };
    dispatch(app, found, request, &caller).await
}

/// Where a request comes from.
fn address(request: &Request<Incoming>) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(peer)| peer.ip())
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
        Route::Metrics => Ok(metrics::report(app)),
        Route::OpenApi => Ok(openapi::serve(request.headers())),
        Route::AsyncApi => Ok(asyncapi::serve(request.headers())),
        Route::DocsRedirect => Ok(docs::redirect()),
        Route::Docs => docs::file(request.uri().path(), request.headers()),
        Route::Models => Ok(models::list(app)),
        Route::Tools => Ok(tools::list(app)),
        Route::Search => search::search(app, &query).await,
        Route::Analytics => analytics::analytics(app, &query).await,
        Route::ListSessions => sessions::list(app, &query).await,
        Route::MintSession => sessions::mint(app, request).await,
        Route::ImportSession => sessions::import(app, request, &query).await,
        Route::Export => sessions::export(app, &session_id()?, &query).await,
        Route::NameSession => sessions::rename(app, request, &session_id()?).await,
        Route::DeleteSession => sessions::delete(app, &session_id()?).await,
        Route::ShowSession => sessions::show(app, &session_id()?, request.headers()).await,
        Route::EndSession => sessions::end(app, &session_id()?).await,
        Route::Events => sessions::events(app, &session_id()?, &query, request.headers()).await,
        Route::SessionAndEvents => sessions::with_events(app, &session_id()?).await,
        Route::Say => messages::say(app, request, session_id()?).await,
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
