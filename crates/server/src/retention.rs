//! Deleting what is too old, as long as the server runs: in small batches, so that nobody waits for it.

use std::time::Duration;

use chrono::TimeDelta;
use patter_protocol::Timestamp;
use patter_store::SessionArchive;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// Sessions that one transaction deletes at the most.
const BATCH: u32 = 300;
/// Between two batches the database has time for others.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two rounds, and up to so much more: many processes on one database do not all ask at once.
const INTERVAL: Duration = Duration::from_secs(3_600);
const JITTER: Duration = Duration::from_secs(300);

/// Deletes sessions that ended more than `days` ago, now and then each hour, until `stop`. What a run has
/// deleted is told of then too.
///
/// # Cancel safety
///
/// Dropped or stopped, it has deleted the sessions of each batch whole or not at all.
pub(crate) async fn enforce(archive: &dyn SessionArchive, days: u32, stop: &CancellationToken) {
    loop {
        let deleted = prune(archive, days, stop).await;
        if deleted > 0 {
            info!(
                sessions = deleted,
                days, "deleted sessions that were too old"
            );
        }
        let pause = INTERVAL + JITTER.mul_f64(fastrand::f64());
        if stop.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
    }
}

/// Deletes all that is due, and counts it. Where the store does not do it, the next round will.
async fn prune(archive: &dyn SessionArchive, days: u32, stop: &CancellationToken) -> usize {
    let mut deleted = 0;
    let Some(older_than) = days_ago(days) else {
        return deleted;
    };
    while let Some(pruned) = stop
        .run_until_cancelled(archive.prune(older_than, BATCH))
        .await
    {
        match pruned {
            Ok(sessions) if sessions.is_empty() => break,
            Ok(sessions) => {
                debug!(?sessions, "deleted");
                deleted += sessions.len();
            }
            Err(error) => {
                warn!(%error, "cannot delete sessions that are too old");
                break;
            }
        }
        if stop.run_until_cancelled(sleep(PAUSE)).await.is_none() {
            break;
        }
    }
    deleted
}

/// `None` before there was a calendar.
pub(crate) fn days_ago(days: u32) -> Option<Timestamp> {
    let now = Timestamp::now().as_datetime();
    now.checked_sub_signed(TimeDelta::days(days.into()))
        .map(Timestamp::from)
}

#[cfg(test)]
mod tests;
