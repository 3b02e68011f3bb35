//! What hardly ever happens to a session, and may at any time. It is looked at when it does, and not with every
//! token: each look at a channel that all sessions watch would take a lock that all sessions share.

use std::future::pending;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream, SelectAll};
use tokio::sync::watch;

use super::Stage;
use crate::leases::LeaseWatch;

/// See the [module](self).
pub(super) enum Rarity {
    /// Somebody else has the session.
    LeaseLost,
    /// The manager has come so far with shutting down.
    StageChanged(Stage),
    /// The manager is gone without a word: there is nobody to serve for.
    ManagerGone,
}

/// See the [module](self).
pub(super) struct Rarities {
    streams: SelectAll<BoxStream<'static, Rarity>>,
}

impl Rarities {
    /// Begins with the stage as it is: a manager that shuts down already says so only once.
    pub(super) fn new(mut lease: LeaseWatch, mut stage: watch::Receiver<Stage>) -> Self {
        stage.mark_changed();
        let lost = async move {
            lease.lost().await;
            Rarity::LeaseLost
        };
        let changes = stream::unfold(Some(stage), |stage| async {
            let mut stage = stage?;
            if stage.changed().await.is_err() {
                return Some((Rarity::ManagerGone, None));
            }
            let now = *stage.borrow_and_update();
            Some((Rarity::StageChanged(now), Some(stage)))
        });
        Self {
            streams: stream::select_all([stream::once(lost).boxed(), changes.boxed()]),
        }
    }

    /// Waits for the next one.
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> Rarity {
        match self.streams.next().await {
            Some(rarity) => rarity,
            None => pending().await,
        }
    }
}
