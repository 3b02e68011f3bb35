//! Tools of other programs, by the Model Context Protocol: servers that run as processes here or are
//! reached over HTTP, and whose tools join a registry as `server__tool`.
//!
//! A server may die, hang, lie and flood. Its tools stay in the registry while it is started again, with
//! growing delays, and a call waits for it a while; one that was under way fails, and says that its effect
//! is not known. What a server says is bounded: messages, descriptions, schemas, the number of its tools.
//! It gets no variable of the environment that was not named, and of what it may ask of a client (samples
//! of a model, input of people) nothing. A tool whose description or schema is not what it was when it was first
//! seen is not what somebody has trusted, and is not offered. That a tool only reads is believed.

mod connection;
mod guard;
mod handler;
mod offer;
mod process;
mod result;
mod supervisor;
mod tool;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::secrets::Secrets;
use crate::{ToolPolicy, ToolRegistry, WebClient};
use connection::Peering;
use supervisor::Supervisor;

/// What a server is, and what it may do.
#[derive(Debug, Clone)]
pub struct McpOptions {
    /// How it is reached.
    pub transport: McpTransport,
    /// If there are any, only these of its tools are offered, by the server's own names.
    pub only: Vec<String>,
    /// What holds for calls of each of its tools, where a policy that the registry has already does not
    /// say something else.
    pub policy: ToolPolicy,
}

/// How a server is reached.
#[derive(Clone)]
pub enum McpTransport {
    /// It is a process that is started here, and spoken to by its standard input and output.
    Process {
        /// The program: a path, or a name that is looked for in `PATH`.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// Its variables, beside `PATH`, `HOME` and a few others without which hardly a program runs. Those
        /// whose name has `KEY`, `TOKEN`, `SECRET`, `PASS`, `AUTH`, `CRED`, `URL` or `DSN` in it are taken
        /// for secrets.
        environment: BTreeMap<String, String>,
    },
    /// It is asked over HTTP ("streamable HTTP"), as far as the client's rules let it.
    Http {
        /// Where.
        url: String,
        /// Headers that go along, secrets among them.
        headers: BTreeMap<String, String>,
        /// Who asks.
        client: WebClient,
    },
}

impl McpTransport {
    fn secrets(&self) -> Secrets {
        match self {
            Self::Process { environment, .. } => {
                let secret = environment.iter().filter(|(name, _)| names_a_secret(name));
                Secrets::new(secret.map(|(_, value)| value))
            }
            Self::Http { url, headers, .. } => {
                let url = Url::parse(url).ok();
                let query: Vec<String> = url
                    .iter()
                    .flat_map(Url::query_pairs)
                    .map(|(_, value)| value.into_owned())
                    .collect();
                Secrets::new(headers.values().chain(&query))
            }
        }
    }
}

/// Whether the value of a variable is likely to be a secret, by its name. That of others, such as `TZ`, may
/// well be what a server is to answer.
fn names_a_secret(variable: &str) -> bool {
    let hints = [
        "KEY", "TOKEN", "SECRET", "PASS", "AUTH", "CRED", "URL", "DSN",
    ];
    hints.iter().any(|hint| variable.contains(hint))
}

/// Without what may be secret: arguments, variables, headers, and the query.
impl fmt::Debug for McpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { program, .. } => f
                .debug_struct("Process")
                .field("program", program)
                .finish_non_exhaustive(),
            Self::Http { .. } => f.debug_struct("Http").finish_non_exhaustive(),
        }
    }
}

/// How a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum McpState {
    /// It is being started for the first time.
    Starting,
    /// It answers.
    Up,
    /// It does not, and is tried again. The text says why.
    Down(String),
}

/// A server that is kept running. Dropped, it is killed at once; [`McpServer::shutdown`] lets it end by
/// itself first.
#[derive(Debug)]
pub struct McpServer {
    name: String,
    peering: watch::Receiver<Peering>,
    stop: CancellationToken,
    task: JoinSet<()>,
}

impl McpServer {
    /// Starts the server and keeps it running. Its tools join `tools`, under names that begin with `name`
    /// and `__`, as soon as it has told them, and follow its changes.
    ///
    /// Must be called within a tokio runtime with its I/O and time enabled.
    #[must_use]
    pub fn start(name: impl Into<String>, options: McpOptions, tools: ToolRegistry) -> Self {
        let name = name.into();
        let (sender, peering) = watch::channel(Peering::Starting);
        let stop = CancellationToken::new();
        let supervisor = Supervisor::new(name.clone(), options, tools, sender, stop.clone());
        let mut task = JoinSet::new();
        task.spawn(supervisor.run());
        Self {
            name,
            peering,
            stop,
            task,
        }
    }

    /// The name that its tools begin with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is now.
    #[must_use]
    pub fn state(&self) -> McpState {
        self.peering.borrow().state()
    }

    /// Waits until its tools have joined, or the first try has failed, or the time is over.
    ///
    /// Cancel safe.
    pub async fn settled(&self, deadline: Instant) -> McpState {
        let mut peering = self.peering.clone();
        let settled = peering.wait_for(|it| !matches!(it, Peering::Starting));
        // In any other case it is as it is.
        let _in_time = timeout_at(deadline, settled).await.is_ok();
        self.state()
    }

    /// Ends the server: its input is closed, then it is asked to terminate, and after 5 seconds at the most
    /// it is killed, with all processes that it has started and that are still in its group. Its tools
    /// leave the registry.
    ///
    /// Not cancel safe: dropping the future kills it at once.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        while self.task.join_next().await.is_some() {}
    }
}

/// What tools need to know of their server.
#[derive(Debug, Clone)]
struct Link {
    server: Arc<str>,
    peering: watch::Receiver<Peering>,
    /// What the server was told in confidence.
    secrets: Arc<Secrets>,
}

/// So long a call waits for a server that is being started (again).
const RESTART_PATIENCE: Duration = Duration::from_secs(10);
