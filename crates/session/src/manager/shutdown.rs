//! How a manager shuts down: stage by stage, each with its part of the time there is.

use std::time::Duration;

use tokio::time::timeout;
use tracing::warn;

use super::{Inner, SessionManager};
use crate::resources::Stage;

/// How long the store may take to write what waits and to close its connections.
const CLOSING_LIMIT: Duration = Duration::from_secs(5);

/// So long a session has for itself when sessions are handed over, and the most that all get.
const SPREAD: Duration = Duration::from_millis(25);
const MAX_SPREAD: Duration = Duration::from_secs(5);

impl SessionManager {
    /// Drains: readers are told, answers in flight may finish in the first three fifths of
    /// `limit` and are interrupted then. In that time a session is handed over only when the store has
    /// all of it; after it, what is safe on local disk will do. Sessions are handed over, not
    /// finalized: whoever is asked for one next goes on with it, and if nobody is, a sweeper
    /// finalizes it. They are handed over at moments spread over some seconds, so that not all clients
    /// come back at once. What is not done within `limit` is left as it is; the log says what that was.
    pub async fn shutdown(&self, limit: Duration) {
        let inner = &self.inner;
        inner.tasks.close();
        let sessions = u32::try_from(self.live_count()).unwrap_or(u32::MAX);
        let spread = MAX_SPREAD
            .min(limit / 5)
            .min(SPREAD.saturating_mul(sessions));
        let unhurried = [
            (Stage::Draining { spread }, limit * 6 / 10),
            (Stage::Stopping { spread }, limit * 3 / 10),
        ];
        let spread = Duration::ZERO;
        let hurried = [(Stage::Stopping { spread }, limit * 3 / 10)];
        let done = tokio::select! {
            done = inner.go_through(&unhurried) => done,
            () = inner.hurry.cancelled() => inner.go_through(&hurried).await,
        };
        if !done {
            inner.go_through(&[(Stage::Stopped, limit / 10)]).await;
        }
        let close = async {
            inner.resources.writer.close().await;
            if let Some(books) = &inner.resources.books {
                books.close().await;
            }
            inner.upkeep_stop.cancel();
            inner.upkeep.wait().await;
            inner.resources.store.close().await;
            if let Some(spool) = &inner.resources.spool {
                spool.close().await;
            }
        };
        if timeout(CLOSING_LIMIT, close).await.is_err() {
            warn!("the store did not close in time");
        }
    }

    /// Makes a [shutdown](Self::shutdown), whether it has begun or not, wait for no answer: those in
    /// flight are interrupted at once, and nothing is spread. Nothing else is different.
    pub fn hurry(&self) {
        self.inner.hurry.cancel();
    }
}

impl Inner {
    /// Goes through these stages of shutting down, each at most so long; whether all sessions have
    /// ended by then.
    async fn go_through(&self, stages: &[(Stage, Duration)]) -> bool {
        for &(stage, limit) in stages {
            self.enter(stage);
            if timeout(limit, self.tasks.wait()).await.is_ok() {
                return true;
            }
            let sessions = self.tasks.len();
            warn!(?stage, sessions, "sessions are not done in time");
        }
        false
    }

    /// Goes one step further with shutting down. Under the lock, as sessions are started: so each
    /// of them either is among the tasks that are waited for, or is not started.
    fn enter(&self, stage: Stage) {
        let _inboxes = self.inboxes();
        self.stage.send_replace(stage);
    }
}
