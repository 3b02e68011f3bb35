//! What a server may say without being asked: that its tools have changed, and how far a call is. All else
//! is refused or passed over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::ClientHandler;
use rmcp::model::{ClientConfig, Implementation, ProgressNotificationParam, ProgressToken};
use rmcp::service::{NotificationContext, RoleClient};
use tokio::sync::Notify;

use crate::ToolProgress;
use crate::secrets::Secrets;

/// The ears of one connection. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(super) struct Handler {
    heard: Arc<Heard>,
    secrets: Arc<Secrets>,
}

#[derive(Debug, Default)]
struct Heard {
    tools_changed: Notify,
    /// Whom to tell how far a call is.
    calls: Mutex<HashMap<ProgressToken, ToolProgress>>,
}

/// Tells of a call until it is dropped.
#[derive(Debug)]
pub(super) struct Listening {
    heard: Arc<Heard>,
    token: ProgressToken,
}

impl Handler {
    pub(super) fn new(secrets: Arc<Secrets>) -> Self {
        let heard = Arc::default();
        Self { heard, secrets }
    }

    /// Waits until the server says that its tools have changed. What it said before counts, once.
    ///
    /// Cancel safe.
    pub(super) async fn tools_changed(&self) {
        self.heard.tools_changed.notified().await;
    }

    /// Has `progress` told of the call with this token.
    pub(super) fn listen(&self, token: ProgressToken, progress: ToolProgress) -> Listening {
        self.heard
            .with(|calls| calls.insert(token.clone(), progress));
        Listening {
            heard: Arc::clone(&self.heard),
            token,
        }
    }
}

impl Heard {
    // What is done under the lock cannot panic half-way, so a poisoned one is whole.
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<ProgressToken, ToolProgress>) -> T) -> T {
        act(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.heard.with(|calls| calls.remove(&self.token));
    }
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        let implementation = Implementation::new("patter", env!("CARGO_PKG_VERSION"));
        let mut info = ClientConfig::default();
        info.client_info = implementation;
        info
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.heard.tools_changed.notify_one();
    }

    async fn on_progress(
        &self,
        said: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        let message = said.message.map(|message| self.secrets.shorten(message));
        self.heard.with(|calls| {
            if let Some(call) = calls.get(&said.progress_token) {
                call.tell(said.progress, said.total, message);
            }
        });
    }
}
