//! The server as a whole: what it is made of, how it runs, and how it stops.

pub(crate) mod accept;
mod chunks;
mod guarded;
mod head;
mod tls;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use patter_llm::{Catalog, ChatModel, Circuit, Router};
use patter_session::{Plan, SessionManager};
use patter_store::{SessionStore, SqliteSpool};
use patter_tools::{RegistryError, Tool, ToolRegistry};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::admin::{self, AdminPort};
use crate::admission::Places;
use crate::auth::{Authenticator, check_listener};
use crate::commands::ModelsReport;
use crate::config::Config;
use crate::error::ServerError;
use crate::http::access::AccessRules;
use crate::http::{self, App, Doors, Health, HttpService, MAX_IMPORTS};
use crate::limits::CallerLimits;
use crate::metrics::Metrics;
#[cfg(feature = "sabotage")]
use crate::sabotage;
use crate::shutdown::Shutdown;
use crate::telemetry::LogLevel;
use crate::wiring::{Models, Plugins, Store};
use crate::ws::Connections;
use crate::{assets, retention, wiring};

pub(crate) use head::RefusedHead;
pub use tls::{Certificates, TlsError};

/// What those get beyond the time to drain who are slow to take their last answer.
const LAST_ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Connections that are told to close have so long to do it.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// So long the first conversation waits for the tools of plug-ins.
const PLUGIN_PATIENCE: Duration = Duration::from_secs(10);

/// A patter server that is not yet running.
#[derive(Debug)]
pub struct Server {
    config: Config,
    store: Arc<dyn Store>,
    spool: Option<SqliteSpool>,
    model: Arc<dyn ChatModel>,
    /// What is known about models, their prices among it.
    catalog: Catalog,
    routes: Router<Plan>,
    circuits: Vec<Circuit>,
    /// The tools, or what was wrong with one of them.
    tools: Result<ToolRegistry, RegistryError>,
    admin: Option<AdminPort>,
    certificates: Option<Certificates>,
}

impl Server {
    /// Opens the store, brings its tables up to date, and sets up the model and the tools.
    ///
    /// # Errors
    ///
    /// Where the store cannot be opened, or the model cannot be set up.
    pub async fn from_config(config: Config) -> Result<Self, ServerError> {
        let catalog = wiring::catalog(&config);
        let mut models = Models::new(&config, &catalog);
        let model = models.with_fallbacks(&config.primary())?;
        let routes = wiring::routes(&config, &mut models)?;
        let circuits = models.circuits();
        let tools = Ok(wiring::tools(&config)?);
        let store = wiring::store(&config).await?;
        let spool = wiring::spool(&config).await?;
        let certificates = certificates(&config).await?;
        #[cfg(feature = "sabotage")]
        let model = sabotage::model(model);
        Ok(Self {
            config,
            store,
            spool,
            model,
            catalog,
            routes,
            circuits,
            tools,
            admin: None,
            certificates,
        })
    }

    /// The certificate that the server shows, where it speaks TLS, for whoever wants it read again.
    #[must_use]
    pub fn certificates(&self) -> Option<Certificates> {
        self.certificates.clone()
    }

    /// Whether the routes offer no tool but those that are built in and switched on. For who adds no
    /// tools: [`Server::run`] would find the same out, but only when the store is open and the port
    /// taken.
    ///
    /// # Errors
    ///
    /// [`ServerError::UnknownTool`].
    pub fn check_tools(config: &Config) -> Result<(), ServerError> {
        wiring::check_tools(config, &wiring::tools(config)?)
    }

    /// Brings the tables of the store up to date, and does nothing else.
    ///
    /// # Errors
    ///
    /// [`ServerError::Store`].
    pub async fn migrate(config: &Config) -> Result<(), ServerError> {
        wiring::migrate(config).await
    }

    /// Offers one more tool to the model. A name that is taken fails [`Server::run`].
    #[must_use]
    pub fn tool(mut self, tool: impl Tool + 'static) -> Self {
        self.tools = self.tools.and_then(|tools| tools.with(tool));
        self
    }

    /// Serves the admin port too, whose requests are trusted, by this listener; `log_level` changes what
    /// the process logs, where the logger is ours.
    #[must_use]
    pub fn admin(mut self, listener: TcpListener, log_level: Option<LogLevel>) -> Self {
        self.admin = Some(AdminPort {
            listener,
            log_level,
            host: self.config.admin.host.clone(),
            drain_delay: self.config.server.drain_delay,
        });
        self
    }

    /// What the server is made of, for whoever starts it: lines for the store,
    /// the model and its fallbacks.
    #[must_use]
    pub fn description(&self) -> impl fmt::Display {
        let store = wiring::describe_store(&self.config);
        let model = wiring::describe_model(&self.config);
        format!("store: {store}\nmodel: {model}")
    }

    /// Which page is built in: `full`, or `plain` where it was built without Node.
    #[must_use]
    pub fn page() -> &'static str {
        assets::kind()
    }

    /// Serves until `shutdown` says to drain: no connection is accepted any more, answers in flight
    /// may finish within `server.drain_timeout`, sessions are handed over, clients are told to come
    /// back (close code 1012). Returns when every task has ended.
    ///
    /// Must be called within a tokio runtime with its I/O and time enabled.
    ///
    /// # Errors
    ///
    /// Where others may reach the listener and nobody said whether they are asked who they are
    /// ([`ServerError::OpenToAll`]); where a tool cannot be offered, or a route offers one that there is not. Once it serves,
    /// nothing ends it but `shutdown`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops without a drain. Whatever was stored stays stored; answers in
    /// flight are closed as interrupted when their session is opened again.
    pub async fn run(self, listener: TcpListener, shutdown: Shutdown) -> Result<(), ServerError> {
        let Self {
            config,
            store,
            spool,
            model,
            catalog,
            routes,
            circuits,
            tools,
            admin,
            certificates,
        } = self;
        check_listener(&config, &listener)?;
        let is_tls = certificates.is_some();
        let tools = tools?;
        wiring::check_tools(&config, &tools)?;
        let plugins = Plugins::start(&config, &tools)?;
        wait_for(&plugins, &shutdown).await;
        let log: Arc<dyn SessionStore> = store.clone();
        #[cfg(feature = "sabotage")]
        let log = sabotage::store(log);
        let mut sessions = SessionManager::builder(Arc::clone(&log), model)
            .tools(tools)
            .system_prompt(&config.llm.system_prompt)
            .routes(routes)
            .prices(catalog)
            .budgets(Arc::clone(&store), config.budgets.caps())
            .settings(wiring::session_settings(&config));
        if let Some(spool) = spool {
            sessions = sessions.spool(spool);
        }
        let sessions = sessions.start();
        let metrics = Metrics::new(&sessions, Arc::clone(&log), &circuits)?;
        let app = Arc::new(App {
            limits: Arc::new(CallerLimits::new(&config, Arc::clone(&metrics.limits))),
            authenticator: Authenticator::new(&config, Arc::clone(&metrics.http))?,
            metrics,
            sessions,
            connections: Connections::default(),
            health: Health::new(log),
            archive: store,
            circuits,
            models: ModelsReport::new(&config, Utc::now().date_naive()).for_clients(),
            access: AccessRules {
                open_lists: config.auth.open_lists,
                client_ids: config.session.client_ids,
            },
            doors: Doors::new(&config, listener.local_addr().ok(), is_tls),
            imports: Semaphore::new(MAX_IMPORTS),
            shutdown,
            started_at: Instant::now(),
        });
        let service = http::service(Arc::clone(&app), &config.server.cors_origins, is_tls)?;
        let stopped = CancellationToken::new();
        let administrating = async {
            if let Some(port) = admin {
                admin::serve(port, Arc::clone(&app), &stopped).await;
            }
        };
        let serving = async {
            serve(listener, certificates, service, &app, &config).await;
            plugins.shutdown().await;
            stopped.cancel();
        };
        tokio::join!(serving, administrating);
        info!("stopped");
        Ok(())
    }
}

/// Waits a while for the tools of plug-ins, unless the server is to stop.
async fn wait_for(plugins: &Plugins, shutdown: &Shutdown) {
    tokio::select! {
        down = plugins.settled(PLUGIN_PATIENCE) => for (plugin, state) in down {
            warn!(plugin, ?state, "a plug-in is not up; its tools come with it");
        },
        () = shutdown.draining().cancelled() => {}
    }
}

/// Serves until the server is told to drain, and drains.
async fn serve(
    listener: TcpListener,
    certificates: Option<Certificates>,
    service: HttpService,
    app: &App,
    config: &Config,
) {
    let (sessions, shutdown) = (&app.sessions, &app.shutdown);
    let limits = accept::Limits {
        longest_answer: config.session.turn_timeout,
        last_answer: config.server.drain_timeout + LAST_ANSWER_LIMIT,
    };
    let measures = Arc::clone(&app.metrics.connections);
    let places = Places::new(config.server.max_connections, measures);
    let places = places.limited_by(Arc::clone(&app.limits));
    let (tls, stop) = (certificates.as_ref(), shutdown.draining());
    let serving = accept::serve(listener, tls, service, limits, places, stop);
    let keeping = keep(&*app.archive, config, shutdown);
    let limiting = app.limits.keep(stop);
    let watching = async {
        if let Some(tls) = tls {
            tls.watch(stop).await;
        }
    };
    let (requests, (), (), ()) = tokio::join!(serving, keeping, limiting, watching);

    info!(
        sessions = sessions.live_count(),
        connections = app.connections.count(),
        "draining"
    );
    tokio::join!(drain(sessions, config, shutdown), requests.finish());
    if timeout(CLOSE_LIMIT, app.connections.close()).await.is_err() {
        warn!(
            connections = app.connections.count(),
            "connections did not close in time"
        );
    }
}

/// The certificate, where the configuration names one.
async fn certificates(config: &Config) -> Result<Option<Certificates>, ServerError> {
    match (&config.server.tls_certificate, &config.server.tls_key) {
        (Some(certificate), Some(key)) => Ok(Some(Certificates::open(certificate, key).await?)),
        _ => Ok(None),
    }
}

/// Deletes what is too old, where that is wanted, until the server stops.
async fn keep(store: &dyn Store, config: &Config, shutdown: &Shutdown) {
    if let Some(days) = config.retention.days {
        retention::enforce(store, days, shutdown.draining()).await;
    }
}

/// Lets the sessions come to their ends, in a hurry if that is said meanwhile.
async fn drain(sessions: &SessionManager, config: &Config, shutdown: &Shutdown) {
    let draining = sessions.shutdown(config.server.drain_timeout);
    let mut draining = pin!(draining);
    tokio::select! {
        () = &mut draining => return,
        () = shutdown.hurried().cancelled() => sessions.hurry(),
    }
    draining.await;
}
