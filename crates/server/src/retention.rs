//! Deleting what is too old, as long as the server runs: in small batches, so that nobody waits for it.

use std::time::Duration;

use chrono::TimeDelta;
use patter_protocol::Timestamp;
use patter_store::SessionArchive;
use tokio::time::sleep;
use tracing::{debug, info, warn};

/// Sessions that one transaction deletes at the most.
const BATCH: u32 = 300;
/// Between two batches the database has time for others.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two rounds, and up to so much more: many processes on one database do not all ask at once.
const INTERVAL: Duration = Duration::from_secs(3_600);
const JITTER: Duration = Duration::from_secs(300);

/// Deletes sessions that ended more than `days` ago, now and then each hour. Never returns.
///
/// # Cancel safety
///
/// Dropped, it has deleted the sessions of each batch whole or not at all.
pub(crate) async fn enforce(archive: &dyn SessionArchive, days: u32) {
    loop {
        let deleted = prune(archive, days).await;
        if deleted > 0 {
            info!(
                sessions = deleted,
                days, "deleted sessions that were too old"
            );
        }
        sleep(INTERVAL + JITTER.mul_f64(fastrand::f64())).await;
    }
}

/// Deletes all that is due. Where the store does not do it, the next round will.
async fn prune(archive: &dyn SessionArchive, days: u32) -> usize {
    let mut deleted = 0;
    let Some(older_than) = days_ago(days) else {
        return deleted;
    };
    loop {
        match archive.prune(older_than, BATCH).await {
            Ok(sessions) if sessions.is_empty() => return deleted,
            Ok(sessions) => {
                debug!(?sessions, "deleted");
                deleted += sessions.len();
            }
            Err(error) => {
                warn!(%error, "cannot delete sessions that are too old");
                return deleted;
            }
        }
        sleep(PAUSE).await;
    }
}

/// `None` before there was a calendar.
pub(crate) fn days_ago(days: u32) -> Option<Timestamp> {
    let now = Timestamp::now().as_datetime();
    now.checked_sub_signed(TimeDelta::days(days.into()))
        .map(Timestamp::from)
}

#[cfg(test)]
mod tests;
