//! Why a server does not start.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use patter_llm::{LlmError, RouterError};
use patter_store::StoreError;
use patter_tools::{RegistryError, ToolError};
use tracing_subscriber::util::TryInitError;

use crate::export::ImportError;
use crate::server::TlsError;

/// Why a server does not start. Nothing of it is worth a second try before somebody has looked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The store cannot be opened: it is not there, or not usable.
    #[error("cannot open the store ({target})")]
    Store {
        /// Which store, without its password.
        target: String,
        /// What it said.
        source: StoreError,
    },
    /// The spool cannot be opened.
    #[error("cannot open the spool in `{folder}` (`store.spool`; `off` does without)")]
    Spool {
        /// Its folder.
        folder: String,
        /// What it said.
        source: StoreError,
    },
    /// The model cannot be set up: its address or its key is no such thing.
    #[error("cannot set up the model")]
    Model(#[source] LlmError),
    /// A tool cannot be offered: its name is taken or cannot be one.
    #[error("cannot offer the tools")]
    Tools(#[from] RegistryError),
    /// A route offers a tool that there is not.
    #[error("the route `{route}` offers the tool `{tool}`, which there is not; there are: {known}")]
    UnknownTool {
        /// Name of the route.
        route: String,
        /// Name of the tool.
        tool: String,
        /// The names of all tools.
        known: String,
    },
    /// A data source cannot be offered.
    #[error("cannot offer the data source `{name}`")]
    DataSource {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A plug-in cannot be set up.
    #[error("cannot start the plug-in `{name}` (`mcp.{name}`): the variable {variable} is not set")]
    Plugin {
        /// Its name.
        name: String,
        /// The variable that it needs.
        variable: String,
    },
    /// A plug-in is not there, so that its tools are not known.
    #[error("the plug-in `{name}` (`mcp.{name}`) is not there: {why}")]
    PluginDown {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
    /// Others reach the listener, it is asked of nobody who they are, and nobody said that this is meant.
    #[error(
        "others may reach {address}, and nobody is asked who they are: set auth.mode to \"jwt\" or \"token\", \
         or to \"none\" if everybody may use this server"
    )]
    OpenToAll {
        /// Where the server would listen.
        address: SocketAddr,
    },
    /// The keys of the identity provider cannot be asked for.
    #[error("cannot set up how keys are fetched (`auth.jwks_url`)")]
    Keys(#[source] reqwest::Error),
    /// Nothing can be asked over HTTP.
    #[error("cannot set up the web for tools")]
    Web(#[source] ToolError),
    /// A tool that was called by hand failed.
    #[error("cannot call the tool `{tool}`")]
    ToolCall {
        /// Its name.
        tool: String,
        /// What it said.
        source: ToolError,
    },
    /// The store did not do what was asked of it by hand.
    #[error(transparent)]
    Sessions(StoreError),
    /// A file that is to be imported is no export.
    #[error("cannot import `{file}`")]
    Import {
        /// The file.
        file: String,
        /// Where it is wrong.
        source: ImportError,
    },
    /// A file that is to be imported cannot be read.
    #[error("cannot read `{file}`")]
    File {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody takes what a command has to tell.
    #[error("cannot write to stdout")]
    Output(#[source] io::Error),
    /// The routes of messages cannot be used, although the configuration was read: a defect.
    #[error("cannot set up the routes of messages")]
    MessageRoutes(#[from] RouterError),
    /// The certificate of the server, or its key, is of no use.
    #[error("cannot set up TLS (`server.tls_certificate`, `server.tls_key`)")]
    Tls(#[from] TlsError),
    /// The process has a logger already.
    #[error("cannot start the logs")]
    Logger(#[source] TryInitError),
    /// Nothing can be sent to the collector of traces.
    #[error("cannot set up the traces")]
    Traces(#[source] reqwest::Error),
    /// Two routes of the HTTP side contradict each other: a defect.
    #[error("cannot set up the HTTP routes")]
    HttpRoutes(#[from] matchit::InsertError),
    /// Two crates count under one name: a defect.
    #[error("cannot set up the metrics")]
    Metrics(#[from] patter_metrics::Error),
}
