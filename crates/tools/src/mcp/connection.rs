//! A connection to a server, from the handshake on.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use rmcp::ServiceExt;
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientNotification, PaginatedRequestParams,
    RequestId, Tool as RemoteTool,
};
use rmcp::service::{Peer, RoleClient, RunningServiceCancellationToken};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{IntoTransport, StreamableHttpClientTransport};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::guard::Guarded;
use super::handler::Handler;
use super::process::Process;
use super::{McpState, McpTransport};
use crate::secrets::Secrets;

/// For starting a server and agreeing with it: `npx` and `uvx` may have to download it first.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(60);
/// For each page of the list of tools, and for telling that a call was given up.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// For a connection whose other end is gone, or was told that we go.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);
/// A longer message is thrown away.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Of one server, so many tools are looked at.
const MAX_TOOLS: usize = 1024;
const MAX_PAGES: usize = 16;
/// So many calls may be under way, of all conversations together; others wait for their turn.
const MAX_UNDER_WAY: usize = 64;
/// How long nothing at all may come from a server that is asked over HTTP.
const MAX_SILENCE: Duration = Duration::from_secs(15 * 60);
/// The longest wait before a server is listened to again over HTTP.
const LAST_DELAY: Duration = Duration::from_secs(60);
/// Calls that were given up and of which the server was not told yet.
const MAX_GIVEN_UP: usize = 256;

/// Whether there is a server to talk to.
#[derive(Debug, Clone)]
pub(super) enum Peering {
    Starting,
    Up(Voice),
    Down(String),
}

impl Peering {
    pub(super) fn state(&self) -> McpState {
        match self {
            Self::Starting => McpState::Starting,
            Self::Up(_) => McpState::Up,
            Self::Down(why) => McpState::Down(why.clone()),
        }
    }
}

/// What a call needs of a connection. Cloning it is cheap.
#[derive(Clone)]
pub(super) struct Voice {
    pub(super) peer: Peer<RoleClient>,
    pub(super) handler: Handler,
    /// Takes the calls of which the server is to be told that nobody waits for them any more.
    pub(super) given_up: mpsc::Sender<RequestId>,
    /// One for each call that may be under way.
    pub(super) turns: Arc<Semaphore>,
    /// Told when a message could not be sent: the server is then connected to anew.
    pub(super) failed: Arc<Notify>,
    /// Cancelled as soon as the server is gone.
    pub(super) gone: CancellationToken,
}

impl Voice {
    /// Whether the server was there a moment ago.
    pub(super) fn is_open(&self) -> bool {
        !self.gone.is_cancelled() && !self.peer.is_transport_closed()
    }
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voice").finish_non_exhaustive()
    }
}

/// Why there is no connection. What a server said may be in it: the supervisor takes secrets out, and
/// shortens it.
pub(super) type Reason = String;

/// An open connection, with whoever is at its other end.
pub(super) struct Connection {
    pub(super) voice: Voice,
    given_up: mpsc::Receiver<RequestId>,
    /// Ends when the connection has.
    service: JoinSet<()>,
    close: Option<RunningServiceCancellationToken>,
    process: Option<Process>,
}

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum Happened {
    ToolsChanged,
    Ended(Reason),
}

impl Connection {
    /// Starts the server, or reaches out for it, and agrees with it on how to talk.
    pub(super) async fn open(
        server: &str,
        transport: &McpTransport,
        secrets: &Arc<Secrets>,
    ) -> Result<Self, Reason> {
        let opening = async {
            match transport {
                McpTransport::Process {
                    program,
                    arguments,
                    environment,
                } => {
                    let started = Process::start(server, program, arguments, environment, secrets);
                    let (process, output, input) =
                        started.map_err(|error| format!("cannot start `{program}`: {error}"))?;
                    let transport = AsyncRwTransport::new(output, input)
                        .with_max_line_length(MAX_MESSAGE_BYTES);
                    Self::shake_hands(transport, Some(process), secrets).await
                }
                McpTransport::Http {
                    url,
                    headers,
                    client,
                } => {
                    let client = client.raw(url, MAX_SILENCE);
                    let client = client.map_err(|error| error.to_string())?;
                    let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
                    config.custom_headers = custom_headers(headers)?;
                    config.max_sse_event_size = MAX_MESSAGE_BYTES;
                    config.max_json_response_size = MAX_MESSAGE_BYTES;
                    let mut retries = ExponentialBackoff::default();
                    retries.max_delay = Some(LAST_DELAY);
                    config.retry_config = Arc::new(retries);
                    // One that has forgotten the session may have other tools: it is connected to anew.
                    config.reinit_on_expired_session = false;
                    let transport = StreamableHttpClientTransport::with_client(client, config);
                    Self::shake_hands(transport, None, secrets).await
                }
            }
        };
        let opened = timeout(HANDSHAKE_LIMIT, opening).await;
        opened.unwrap_or_else(|_| {
            let limit = HANDSHAKE_LIMIT.as_secs();
            Err(format!("it did not introduce itself within {limit} s"))
        })
    }

    async fn shake_hands<T, E, A>(
        transport: T,
        process: Option<Process>,
        secrets: &Arc<Secrets>,
    ) -> Result<Self, Reason>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: Error + Send + Sync + 'static,
    {
        let gone = CancellationToken::new();
        let transport = Guarded::new(transport.into_transport(), gone.clone());
        let handler = Handler::new(Arc::clone(secrets));
        let service = handler.clone().serve(transport).await;
        let service = service.map_err(|error| format!("it is no MCP server: {error}"))?;
        let (sender, given_up) = mpsc::channel(MAX_GIVEN_UP);
        let voice = Voice {
            peer: service.peer().clone(),
            handler,
            given_up: sender,
            turns: Arc::new(Semaphore::new(MAX_UNDER_WAY)),
            failed: Arc::default(),
            gone,
        };
        let close = service.cancellation_token();
        let mut ended = JoinSet::new();
        ended.spawn(async move {
            // However it ended, it has.
            let _reason = service.waiting().await;
        });
        Ok(Self {
            voice,
            given_up,
            close: Some(close),
            service: ended,
            process,
        })
    }

    /// The tools that the server has now.
    pub(super) async fn tools(&self) -> Result<Vec<RemoteTool>, Reason> {
        let peer = &self.voice.peer;
        let mut tools = Vec::new();
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let mut wanted = PaginatedRequestParams::default();
            wanted.cursor = cursor.take();
            let asking = timeout(ANSWER_LIMIT, peer.list_tools(Some(wanted)));
            let page = asking
                .await
                .map_err(|_| "it did not tell its tools in time".to_owned())?
                .map_err(|error| format!("it does not tell its tools: {error}"))?;
            tools.extend(page.tools);
            cursor = page.next_cursor;
            if cursor.is_none() || tools.len() >= MAX_TOOLS {
                break;
            }
        }
        tools.truncate(MAX_TOOLS);
        Ok(tools)
    }

    /// Waits until something happens; meanwhile the server is told which calls were given up.
    ///
    /// Cancel safe, but for a message to the server, which may not be sent then.
    pub(super) async fn next(&mut self) -> Happened {
        loop {
            let ended = async {
                match &mut self.process {
                    Some(process) => process.ended().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = self.service.join_next() => return Happened::Ended("it closed the connection".into()),
                status = ended => {
                    let how = status.map_or_else(|error| error.to_string(), |it| it.to_string());
                    return Happened::Ended(format!("its process ended ({how})"));
                }
                () = self.voice.failed.notified() => {
                    return Happened::Ended("it cannot be reached".into());
                }
                Some(call) = self.given_up.recv() => {
                    if !give_up(&self.voice.peer, call).await {
                        // Each further message to it would wait for ever.
                        return Happened::Ended("it does not read what it is told".into());
                    }
                }
                // Last: one that floods with changes is told of calls that were given up all the same.
                () = self.voice.handler.tools_changed() => return Happened::ToolsChanged,
            }
        }
    }

    /// Closes the connection and ends the process. Takes 5 seconds and a little at the most.
    pub(super) async fn close(mut self) {
        self.voice.gone.cancel();
        if let Some(close) = self.close.take() {
            close.cancel();
        }
        if let Some(process) = self.process.take() {
            process.end().await;
        }
        let _closed = timeout(CLOSE_LIMIT, self.service.join_next()).await.is_ok();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.voice.gone.cancel();
    }
}

/// Tells the server that nobody waits for a call. `false` if it takes too long to listen.
async fn give_up(peer: &Peer<RoleClient>, call: RequestId) -> bool {
    let said = CancelledNotificationParam::new(Some(call), Some("nobody waits for it".to_owned()));
    let notification = CancelledNotification::new(said);
    let telling = peer.send_notification(ClientNotification::CancelledNotification(notification));
    timeout(ANSWER_LIMIT, telling).await.is_ok()
}

fn custom_headers(
    headers: &std::collections::BTreeMap<String, String>,
) -> Result<HashMap<HeaderName, HeaderValue>, Reason> {
    let header = |(name, value): (&String, &String)| {
        let refused = || format!("the header `{name}` cannot be set");
        let key: HeaderName = name.parse().map_err(|_| refused())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| refused())?;
        value.set_sensitive(true);
        Ok((key, value))
    };
    headers.iter().map(header).collect()
}

/// For a call that was under way when its server went.
pub(super) fn went_away(server: &Arc<str>) -> String {
    format!(
        "the MCP server `{server}` went away while the call ran; whether it had an effect is not known"
    )
}
