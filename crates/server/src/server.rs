//! The server as a whole: what it is made of, how it runs, and how it stops.

mod accept;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use patter_llm::ChatModel;
use patter_session::SessionManager;
use patter_store::SessionStore;
use patter_tools::{RegistryError, Tool, ToolRegistry};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Config;
use crate::error::ServerError;
use crate::http::{self, App, Health};
use crate::ws::Connections;
use crate::{assets, wiring};

/// Connections that are told to close have so long to do it.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// A patter server that is not yet running.
#[derive(Debug)]
pub struct Server {
    config: Config,
    store: Arc<dyn SessionStore>,
    model: Arc<dyn ChatModel>,
    /// The tools, or what was wrong with one of them.
    tools: Result<ToolRegistry, RegistryError>,
}

impl Server {
    /// Opens the store, brings its tables up to date, and sets up the model and the tools.
    ///
    /// # Errors
    ///
    /// Where the store cannot be opened, or the model cannot be set up.
    pub async fn from_config(config: Config) -> Result<Self, ServerError> {
        let model = wiring::model(&config)?;
        let tools = wiring::tools(&config);
        let store = wiring::store(&config).await?;
        Ok(Self {
            config,
            store,
            model,
            tools,
        })
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

    /// What the server is made of, for whoever starts it: a line for the store, one for the model.
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

    /// Serves until `shutdown` is cancelled, and drains then: no connection is accepted any more,
    /// answers in flight may finish within `server.drain_timeout`, sessions are finalized, clients
    /// are told to come back (close code 1012). Returns when every task has ended.
    ///
    /// Must be called within a tokio runtime with its I/O and time enabled.
    ///
    /// # Errors
    ///
    /// Where a tool cannot be offered. Once it serves, nothing ends it but `shutdown`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops without a drain. Whatever was stored stays stored; answers in
    /// flight are closed as interrupted when their session is opened again.
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> Result<(), ServerError> {
        let Self {
            config,
            store,
            model,
            tools,
        } = self;
        let sessions = SessionManager::builder(Arc::clone(&store), model)
            .tools(tools?)
            .system_prompt(&config.llm.system_prompt)
            .settings(wiring::session_settings(&config))
            .start();
        let app = Arc::new(App {
            sessions: sessions.clone(),
            connections: Connections::default(),
            health: Health::new(store),
            draining: shutdown.clone(),
            started_at: Instant::now(),
        });
        let service = http::service(Arc::clone(&app))?;
        let requests =
            accept::serve(listener, service, config.server.max_connections, &shutdown).await;

        info!(
            sessions = sessions.live_count(),
            connections = app.connections.count(),
            "draining"
        );
        let limit = config.server.drain_timeout;
        tokio::join!(sessions.shutdown(limit), requests.finish());
        if timeout(CLOSE_LIMIT, app.connections.close()).await.is_err() {
            warn!(
                connections = app.connections.count(),
                "connections did not close in time"
            );
        }
        info!("stopped");
        Ok(())
    }
}
