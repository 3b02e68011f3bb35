//! Keeps a server running: starts it, follows the changes of its tools, and starts it again when it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::connection::{Connection, Happened, Peering, Reason};
use super::offer::Offer;
use super::{Link, McpOptions, McpTransport};
use crate::ToolRegistry;
use crate::secrets::Secrets;

/// The first wait before another try, short because whoever called a tool may wait for it; each further
/// one is twice as long.
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LAST_DELAY: Duration = Duration::from_secs(60);
/// A server that ran so long has earned the first delay again.
const GOOD_RUN: Duration = Duration::from_secs(60);
/// A server that floods with changes of its tools is asked for them only so often.
const CHANGES_INTERVAL: Duration = Duration::from_millis(500);

pub(super) struct Supervisor {
    server: Arc<str>,
    transport: McpTransport,
    offer: Offer,
    secrets: Arc<Secrets>,
    /// Since when the server is up.
    up_since: Option<Instant>,
    peering: watch::Sender<Peering>,
    stop: CancellationToken,
}

impl Supervisor {
    pub(super) fn new(
        name: String,
        options: McpOptions,
        tools: ToolRegistry,
        peering: watch::Sender<Peering>,
        stop: CancellationToken,
    ) -> Self {
        let server: Arc<str> = name.into();
        let secrets = Arc::new(options.transport.secrets());
        let link = Link {
            server: Arc::clone(&server),
            peering: peering.subscribe(),
            secrets: Arc::clone(&secrets),
        };
        Self {
            secrets,
            up_since: None,
            offer: Offer::new(link, options.only, options.policy, tools),
            server,
            transport: options.transport,
            peering,
            stop,
        }
    }

    pub(super) async fn run(mut self) {
        let mut delay = FIRST_DELAY;
        let stop = self.stop.clone();
        loop {
            let Some(why) = self.run_once(&stop).await else {
                break;
            };
            let up_since = self.up_since.take();
            if up_since.is_some_and(|since| since.elapsed() >= GOOD_RUN) {
                delay = FIRST_DELAY;
            }
            let wait_ms = delay.as_millis();
            warn!(
                plugin = &*self.server,
                error = why,
                wait_ms,
                "an MCP server is down"
            );
            self.peering.send_replace(Peering::Down(why));
            tokio::select! {
                () = sleep(delay) => {}
                () = stop.cancelled() => break,
            }
            delay = (delay * 2).min(LAST_DELAY);
        }
        self.offer.withdraw_all();
        self.peering
            .send_replace(Peering::Down("it was stopped".to_owned()));
    }

    /// Runs the server until it ends, and says why it did; `None` if it was stopped.
    async fn run_once(&mut self, stop: &CancellationToken) -> Option<Reason> {
        let opened = tokio::select! {
            opened = Connection::open(&self.server, &self.transport, &self.secrets) => opened,
            () = stop.cancelled() => return None,
        };
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(why) => return Some(self.secrets.shorten(why)),
        };
        let ended = tokio::select! {
            why = self.serve(&mut connection) => Some(self.secrets.shorten(why)),
            () = stop.cancelled() => None,
        };
        if let Some(why) = &ended {
            // Before the process is waited for, so that no further call is sent there.
            self.peering.send_replace(Peering::Down(why.clone()));
        }
        connection.close().await;
        ended
    }

    async fn serve(&mut self, connection: &mut Connection) -> Reason {
        match connection.tools().await {
            Ok(tools) => self.offer.update(tools),
            Err(why) => return why,
        }
        info!(plugin = &*self.server, "an MCP server is up");
        self.up_since = Some(Instant::now());
        self.peering
            .send_replace(Peering::Up(connection.voice.clone()));
        loop {
            match connection.next().await {
                Happened::Ended(why) => return why,
                Happened::ToolsChanged => match connection.tools().await {
                    Ok(tools) => self.offer.update(tools),
                    Err(why) => return why,
                },
            }
            sleep(CHANGES_INTERVAL).await;
        }
    }
}
