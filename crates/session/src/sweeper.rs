//! Looks after what nobody else does, every few seconds and in every process: sessions that have no
//! owner any more are finalized, events that were kept on local disk find their way into the log, and
//! summaries that are missing are made.

use std::collections::HashSet;
use std::future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use patter_protocol::SessionId;
use patter_store::StoreError;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;
use tracing::{debug, info};
use uuid::Uuid;

use crate::error::{SessionError, with_causes};
use crate::late_summary;
use crate::manager::Inner;
use crate::resources::{Resources, Stage};

/// So many sessions are claimed at a time, and so many times in a row.
const BATCH: u32 = 20;
const MAX_BATCHES: usize = 10;
/// How long the store may take to find them.
const SWEEP_LIMIT: Duration = Duration::from_secs(5);
/// So many summaries are made at the same time.
const MAX_SUMMARIES: usize = 4;
/// So many sessions are opened at the same time.
const MAX_OPENING: usize = 16;
/// How often what a lost process left on this disk is tried, until it is stored.
const RECOVERY_PAUSE: Duration = Duration::from_secs(1);

/// See the [module](self). Goes on until it is dropped, or the manager is.
pub(crate) async fn run(manager: Weak<Inner>, resources: Arc<Resources>) {
    let summaries = TaskTracker::new();
    recover(&manager, &resources).await;
    loop {
        if *resources.stage.borrow() == Stage::Serving {
            adopt(&manager, &resources).await;
            let swept = sweep(&manager, &resources, &summaries).await;
            resources.measures.looked(swept.is_ok());
            if let Err(error) = swept {
                debug!(error = with_causes(&error), "cannot sweep");
                resources.leases.store_is_away();
            }
        }
        sleep(about(resources.settings.sweep_interval)).await;
    }
}

/// Stores what a lost process left on this disk, before the server says that it is ready. Sessions that
/// another process has by then, or that cannot be opened at all, are not waited for: sweeps go on trying.
async fn recover(manager: &Weak<Inner>, resources: &Resources) {
    let left = resources.spool.as_ref().map(|spool| spool.sessions());
    let left = left.unwrap_or_default();
    if !left.is_empty() {
        info!(
            sessions = left.len(),
            "storing what a lost process kept on local disk"
        );
    }
    let is_held = |session_id: &SessionId| {
        let spool = resources.spool.as_ref();
        spool.is_some_and(|spool| spool.holds(session_id))
    };
    let begun = Instant::now();
    let mut awaited: HashSet<SessionId> = left.into_iter().collect();
    loop {
        awaited.retain(is_held);
        if awaited.is_empty() {
            break;
        }
        let out_of_reach = adopt(manager, resources).await;
        // The lease of the process that was lost has run out: whoever has a session now is alive.
        if begun.elapsed() > resources.leases.owner().lease {
            awaited.retain(|session_id| !out_of_reach.contains(session_id));
        }
        sleep(RECOVERY_PAUSE).await;
    }
    if let Some(manager) = manager.upgrade() {
        manager.set_recovered();
    }
}

/// Opens the sessions of which the spool has something and that nobody runs here. Gives those that
/// somebody else runs, or that cannot be read.
async fn adopt(manager: &Weak<Inner>, resources: &Resources) -> Vec<SessionId> {
    let sessions = resources.spool.as_ref().map(|spool| spool.sessions());
    stream::iter(sessions.unwrap_or_default())
        .map(async |session_id| {
            let error = manager.upgrade()?.adopt(session_id.clone()).await.err()?;
            debug!(%session_id, error = with_causes(&error), "cannot store yet what was kept");
            let is_out_of_reach =
                matches!(error, SessionError::Owned { .. } | SessionError::Store(_));
            is_out_of_reach.then_some(session_id)
        })
        .buffer_unordered(MAX_OPENING)
        .filter_map(future::ready)
        .collect()
        .await
}

/// Finalizes what nobody came back to, and has missing summaries made.
async fn sweep(
    manager: &Weak<Inner>,
    resources: &Arc<Resources>,
    summaries: &TaskTracker,
) -> Result<(), StoreError> {
    let store = &resources.store;
    if !resources.leases.others_had_time() {
        store.check().await?;
        resources.leases.store_is_there();
        return Ok(());
    }
    // By a clock that has jumped, the leases of this very process may have run out.
    if resources.leases.renew(&**store).await? > 0 {
        return Ok(());
    }
    for _ in 0..MAX_BATCHES {
        let claimed_at = Instant::now();
        // A store that has hung may have come back just now, and others have had no time yet.
        let swept = timeout(SWEEP_LIMIT, store.sweep(resources.leases.owner(), BATCH))
            .await
            .map_err(|_elapsed| StoreError::Unavailable("no answer in time".into()))??;
        let count = swept.len();
        resources.measures.swept.inc_by(count as u64);
        for swept in swept {
            if let Some(manager) = manager.upgrade() {
                manager.finalize(swept, claimed_at);
            }
        }
        if count < BATCH as usize {
            break;
        }
    }
    let free = MAX_SUMMARIES.saturating_sub(summaries.len());
    if free > 0 {
        let limit = u32::try_from(free).unwrap_or(1);
        for job in store.take_summaries(limit, late_summary::TRIES).await? {
            summaries.spawn(late_summary::make(Arc::clone(resources), job));
        }
    }
    Ok(())
}

/// A duration that differs by a fifth at most, so that processes do not keep step.
fn about(duration: Duration) -> Duration {
    // The last bytes of a UUIDv7 are random.
    let random = Uuid::now_v7().as_u128() % 401;
    duration * (800 + u32::try_from(random).unwrap_or(200)) / 1_000
}
