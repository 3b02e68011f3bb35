//! Which paths there are, and what each answers to which method.

use http::{HeaderValue, Method};
use matchit::{InsertError, Router};
use patter_protocol::MAX_FRAME_BYTES;

use crate::export::MAX_FILE_BYTES;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Home,
    /// A file of the page, or nothing.
    File,
    Health,
    Live,
    Ready,
    Metrics,
    OpenApi,
    AsyncApi,
    DocsRedirect,
    Docs,
    Models,
    Tools,
    Search,
    Analytics,
    Usage,
    ListSessions,
    MintSession,
    WsTicket,
    ImportSession,
    Export,
    ShowSession,
    NameSession,
    DeleteSession,
    EndSession,
    Events,
    Say,
    SessionAndEvents,
    WebSocket,
}

/// Bodies are small, but where a path takes more.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

impl Route {
    /// Whether it is answered to anybody, whatever authentication is configured: the page and the
    /// documents, which tell nothing of what is stored, and what orchestrators ask.
    pub(crate) fn is_public(self) -> bool {
        matches!(
            self,
            Self::Home
                | Self::File
                | Self::Health
                | Self::Live
                | Self::Ready
                | Self::OpenApi
                | Self::AsyncApi
                | Self::DocsRedirect
                | Self::Docs
        )
    }

    /// The longest body that is read here, in bytes.
    pub(crate) fn body_limit(self) -> usize {
        match self {
            Self::Say => MAX_FRAME_BYTES,
            Self::ImportSession => MAX_FILE_BYTES,
            _ => MAX_BODY_BYTES,
        }
    }
}

/// A path with parameters in it, and the route of each method. What answers GET answers HEAD too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource {
    /// As in `/api/sessions/{session_id}`: there are as many of these as are written below, whatever is
    /// asked for.
    pub(crate) template: &'static str,
    methods: &'static [(Method, Route)],
}

const fn resource(template: &'static str, methods: &'static [(Method, Route)]) -> Resource {
    Resource { template, methods }
}

static RESOURCES: &[Resource] = &[
    resource("/", &[(Method::GET, Route::Home)]),
    resource("/health", &[(Method::GET, Route::Health)]),
    resource("/health/live", &[(Method::GET, Route::Live)]),
    resource("/health/ready", &[(Method::GET, Route::Ready)]),
    resource("/metrics", &[(Method::GET, Route::Metrics)]),
    resource("/openapi.json", &[(Method::GET, Route::OpenApi)]),
    resource("/asyncapi.json", &[(Method::GET, Route::AsyncApi)]),
    resource("/docs", &[(Method::GET, Route::DocsRedirect)]),
    resource("/docs/", &[(Method::GET, Route::Docs)]),
    resource("/docs/{file}", &[(Method::GET, Route::Docs)]),
    resource("/api/models", &[(Method::GET, Route::Models)]),
    resource("/api/tools", &[(Method::GET, Route::Tools)]),
    resource("/api/search", &[(Method::GET, Route::Search)]),
    resource("/api/analytics", &[(Method::GET, Route::Analytics)]),
    resource("/api/usage", &[(Method::GET, Route::Usage)]),
    resource(
        "/api/sessions",
        &[
            (Method::GET, Route::ListSessions),
            (Method::POST, Route::MintSession),
        ],
    ),
    resource("/api/ws-ticket", &[(Method::POST, Route::WsTicket)]),
    // Not below `/api/sessions`, where it could be the id of one.
    resource("/api/import", &[(Method::POST, Route::ImportSession)]),
    resource(
        "/api/sessions/{session_id}",
        &[
            (Method::GET, Route::ShowSession),
            (Method::PATCH, Route::NameSession),
            (Method::DELETE, Route::DeleteSession),
        ],
    ),
    resource(
        "/api/sessions/{session_id}/end",
        &[(Method::POST, Route::EndSession)],
    ),
    resource(
        "/api/sessions/{session_id}/events",
        &[(Method::GET, Route::Events)],
    ),
    resource(
        "/api/sessions/{session_id}/export",
        &[(Method::GET, Route::Export)],
    ),
    resource(
        "/api/sessions/{session_id}/messages",
        &[(Method::POST, Route::Say)],
    ),
    // What older clients ask for.
    resource(
        "/api/session/{session_id}",
        &[(Method::GET, Route::SessionAndEvents)],
    ),
    // Everything below it is an id, if mostly a bad one.
    resource("/ws/session/", &[(Method::GET, Route::WebSocket)]),
    resource(
        "/ws/session/{*session_id}",
        &[(Method::GET, Route::WebSocket)],
    ),
];

/// Finds resources by their paths.
pub(crate) type Routes = Router<&'static Resource>;

/// All routes of the server.
///
/// # Errors
///
/// Where two contradict each other: a defect.
pub(crate) fn routes() -> Result<Routes, InsertError> {
    let mut routes = Router::new();
    for resource in RESOURCES {
        routes.insert(resource.template, resource)?;
    }
    Ok(routes)
}

impl Resource {
    /// What the method asks for here; else the methods that ask for something.
    pub(crate) fn route(&self, method: &Method) -> Result<Route, HeaderValue> {
        let method = match *method {
            Method::HEAD => &Method::GET,
            _ => method,
        };
        let found = self.methods.iter().find(|(its, _)| its == method);
        found.map(|(_, route)| *route).ok_or_else(|| self.allow())
    }

    fn allow(&self) -> HeaderValue {
        let mut names = Vec::new();
        for (method, _) in self.methods {
            names.push(method.as_str());
            if *method == Method::GET {
                names.push("HEAD");
            }
        }
        HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("GET, HEAD"))
    }
}
