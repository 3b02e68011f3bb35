//! The leases of this process: taken one by one, renewed together, watched by the sessions that they
//! are for.
//!
//! A lease is counted as safe for two thirds of its length after the last request that renewed it was
//! *sent*, by this machine's monotonic clock: so a process that lost touch with the database stops
//! asking models and running tools before anybody else can have got its sessions.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use patter_protocol::SessionId;
use patter_store::{Fence, Lease, Owner, SessionStore, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::warn;

use crate::error::with_causes;

/// All leases of this process. Cloning gives another handle of the same ones.
#[derive(Debug, Clone)]
pub(crate) struct Leases {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    owner: Owner,
    held: Mutex<HashMap<SessionId, Entry>>,
    reach: Mutex<Reach>,
}

/// Whether the store can be reached.
#[derive(Debug, Clone, Copy)]
enum Reach {
    Away,
    /// It was away, or nobody had asked, and it was found to be there then.
    ThereSince(Instant),
}

#[derive(Debug)]
struct Entry {
    fence: Fence,
    standing: watch::Sender<Standing>,
}

/// How a lease stands.
#[derive(Debug, Clone, Copy)]
enum Standing {
    /// Nobody else can have the session until then.
    SafeUntil(Instant),
    /// Somebody else has it.
    Lost,
}

/// The lease of one session. It is not renewed any more once this is dropped.
#[derive(Debug)]
pub(crate) struct HeldLease {
    lease: Lease,
    watch: LeaseWatch,
    leases: Weak<Shared>,
}

/// Tells how a lease stands.
#[derive(Debug, Clone)]
pub(crate) struct LeaseWatch {
    standing: watch::Receiver<Standing>,
}

impl Leases {
    pub(crate) fn new(owner: Owner) -> Self {
        Self {
            shared: Arc::new(Shared {
                owner,
                held: Mutex::default(),
                reach: Mutex::new(Reach::Away),
            }),
        }
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.shared.owner
    }

    /// How long after a renewal the next one is sent, whether or not there was an answer: so one that
    /// is lost costs nothing, and what is safe goes on being safe.
    fn renewal_interval(&self) -> Duration {
        self.shared.owner.lease / 3
    }

    /// Has a lease renewed from now on that a claim gave, which was sent at `claimed_at`.
    pub(crate) fn hold(&self, lease: Lease, claimed_at: Instant) -> HeldLease {
        let (standing, receiver) = watch::channel(self.safe_from(claimed_at));
        let fence = lease.fence;
        let entry = Entry { fence, standing };
        self.shared.held().insert(lease.session_id.clone(), entry);
        HeldLease {
            lease,
            watch: LeaseWatch { standing: receiver },
            leases: Arc::downgrade(&self.shared),
        }
    }

    /// Renews all leases again and again, until this is dropped.
    pub(crate) async fn keep(&self, store: &dyn SessionStore) {
        let interval = self.renewal_interval();
        let mut due = Instant::now() + interval;
        loop {
            sleep_until(due).await;
            due = Instant::now() + interval;
            match self.renew(store).await {
                Ok(0) => {}
                Ok(sessions) => {
                    warn!(
                        sessions,
                        "somebody has sessions locked whose leases are to be renewed"
                    );
                    due -= interval * 4 / 5;
                }
                Err(error) => {
                    warn!(error = with_causes(&error), "cannot renew the leases");
                    self.store_is_away();
                }
            }
        }
    }

    /// Notes that the store does not answer.
    pub(crate) fn store_is_away(&self) {
        *self.shared.reach() = Reach::Away;
    }

    /// Notes that the store answers.
    pub(crate) fn store_is_there(&self) {
        let mut reach = self.shared.reach();
        if matches!(*reach, Reach::Away) {
            *reach = Reach::ThereSince(Instant::now());
        }
    }

    /// Whether the store is known to have been there for the length of a lease. After an outage, which
    /// may be why this process was started, every process gets so long to renew its leases before this
    /// one takes a session for ownerless.
    pub(crate) fn others_had_time(&self) -> bool {
        match *self.shared.reach() {
            Reach::Away => false,
            Reach::ThereSince(since) => since.elapsed() > self.shared.owner.lease,
        }
    }

    /// Renews all leases, and tells the sessions that have lost theirs. Gives how many it could not
    /// renew because somebody has their sessions locked.
    ///
    /// # Errors
    ///
    /// Where the store does not answer before the next renewal is due.
    pub(crate) async fn renew(&self, store: &dyn SessionStore) -> Result<usize, StoreError> {
        let leases: Vec<Lease> = self.shared.leases();
        if leases.is_empty() {
            return Ok(0);
        }
        let sent_at = Instant::now();
        let limit = self.renewal_interval();
        let renewal = match timeout(limit, store.renew(&self.shared.owner, &leases)).await {
            Ok(renewal) => renewal?,
            Err(_elapsed) => return Err(StoreError::Unavailable("no answer in time".into())),
        };
        let safe = self.safe_from(sent_at);
        let held = self.shared.held();
        for lease in &leases {
            // A session that was claimed again in between has a newer one.
            let entry = held.get(&lease.session_id);
            if let Some(entry) = entry.filter(|entry| entry.fence == lease.fence) {
                if renewal.lost.contains(&lease.session_id) {
                    entry.standing.send_replace(Standing::Lost);
                } else if !renewal.busy.contains(&lease.session_id) {
                    entry.standing.send_replace(safe);
                }
            }
        }
        Ok(renewal.busy.len())
    }

    fn safe_from(&self, sent_at: Instant) -> Standing {
        Standing::SafeUntil(sent_at + self.shared.owner.lease * 2 / 3)
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, HashMap<SessionId, Entry>> {
        // Nothing that could panic is done under the lock.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> MutexGuard<'_, Reach> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leases(&self) -> Vec<Lease> {
        let held = self.held();
        let lease = |(session_id, entry): (&SessionId, &Entry)| Lease {
            session_id: session_id.clone(),
            fence: entry.fence,
        };
        held.iter().map(lease).collect()
    }
}

impl HeldLease {
    /// For those who must not start anything without the lease.
    pub(crate) fn watch(&self) -> LeaseWatch {
        self.watch.clone()
    }

    /// Lets go of the session, within `limit`. Where that cannot be told the store, the lease runs
    /// out by itself.
    pub(crate) async fn release(&self, store: &dyn SessionStore, limit: Duration) {
        let Some(leases) = self.leases.upgrade() else {
            return;
        };
        let released = timeout(limit, store.release(&leases.owner, &self.lease)).await;
        if let Ok(Err(error)) = released {
            warn!(session_id = %self.lease.session_id, error = with_causes(&error), "cannot let go of the session");
        }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        if let Some(leases) = self.leases.upgrade() {
            let mut held = leases.held();
            let is_this = |entry: &Entry| entry.fence == self.lease.fence;
            if held.get(&self.lease.session_id).is_some_and(is_this) {
                held.remove(&self.lease.session_id);
            }
        }
    }
}

impl LeaseWatch {
    /// Waits until somebody else has the session.
    ///
    /// Cancel safe.
    pub(crate) async fn lost(&mut self) {
        let lost = |standing: &Standing| matches!(standing, Standing::Lost);
        if self.standing.wait_for(lost).await.is_err() {
            // A newer lease of the same session has taken its place: the store fences this one.
            pending::<()>().await;
        }
    }

    /// Waits until nobody else can have the session. For ever, once somebody has.
    ///
    /// Cancel safe.
    pub(crate) async fn safe(&mut self) {
        loop {
            if let Standing::SafeUntil(until) = *self.standing.borrow_and_update()
                && Instant::now() < until
            {
                return;
            }
            if self.standing.changed().await.is_err() {
                pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;
    use patter_store::NewSession;
    use patter_testkit::failing_store::{FailingStore, Failure};
    use patter_testkit::memory_store::MemoryStore;
    use tokio::time::{advance, sleep};

    use super::*;

    fn owner(id: &str) -> Owner {
        Owner {
            id: id.to_owned(),
            lease: Duration::from_secs(15),
            linger: Duration::from_secs(30),
        }
    }

    fn session() -> NewSession {
        NewSession {
            session_id: SessionId::generate(),
            user_id: None,
            metadata: patter_protocol::JsonObject::new(),
        }
    }

    async fn held(leases: &Leases, store: &dyn SessionStore, session: &NewSession) -> HeldLease {
        let claimed = store.claim(session.clone(), leases.owner()).await.unwrap();
        let lease = Lease {
            session_id: session.session_id.clone(),
            fence: claimed.fence,
        };
        leases.hold(lease, Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_safe_for_two_thirds_of_its_length_and_longer_by_renewals() {
        let store = FailingStore::new(Arc::new(MemoryStore::default()));
        let leases = Leases::new(owner("one"));
        let held = held(&leases, &store, &session()).await;
        let mut watch = held.watch();
        advance(Duration::from_millis(9_999)).await;
        assert!(watch.safe().now_or_never().is_some());
        advance(Duration::from_millis(1)).await;
        assert!(watch.safe().now_or_never().is_none());

        store.set(Failure::Unavailable);
        leases.renew(&store).await.unwrap_err();
        assert!(watch.safe().now_or_never().is_none());
        store.set(Failure::None);
        leases.renew(&store).await.unwrap();
        assert!(watch.safe().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_counts_from_when_it_was_sent_and_is_not_waited_for_for_ever() {
        let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
        let leases = Leases::new(owner("one"));
        let held = held(&leases, &*store, &session()).await;
        let mut watch = held.watch();
        advance(Duration::from_secs(9)).await;
        store.set(Failure::Hang);
        let slow = async {
            sleep(Duration::from_secs(4)).await;
            store.set(Failure::None);
        };
        let (renewed, ()) = tokio::join!(leases.renew(&*store), slow);
        renewed.unwrap();
        advance(Duration::from_millis(5_999)).await;
        assert!(
            watch.safe().now_or_never().is_some(),
            "10 s from when it was sent"
        );
        advance(Duration::from_millis(1)).await;
        assert!(watch.safe().now_or_never().is_none());
        store.set(Failure::Hang);
        leases.renew(&*store).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_is_lost_leaves_no_time_in_which_the_lease_is_not_safe() {
        let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
        let leases = Leases::new(owner("one"));
        let held = held(&leases, &*store, &session()).await;
        let mut watch = held.watch();
        let script = async {
            store.set(Failure::Hang);
            sleep(Duration::from_millis(9_999)).await;
            assert!(watch.safe().now_or_never().is_some());
            store.set(Failure::None);
            sleep(Duration::from_millis(2)).await;
            assert!(watch.safe().now_or_never().is_some());
        };
        tokio::select! {
            () = leases.keep(&*store) => unreachable!(),
            () = script => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_whose_session_is_locked_is_not_safe_for_longer_and_is_tried_again_soon() {
        let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
        let leases = Leases::new(owner("one"));
        let held = held(&leases, &*store, &session()).await;
        let mut watch = held.watch();
        let script = async {
            store.set(Failure::Locked);
            sleep(Duration::from_millis(10_001)).await;
            assert!(watch.safe().now_or_never().is_none());
            assert!(watch.lost().now_or_never().is_none());
            store.set(Failure::None);
            sleep(Duration::from_millis(1_000)).await;
            assert!(watch.safe().now_or_never().is_some());
        };
        tokio::select! {
            () = leases.keep(&*store) => unreachable!(),
            () = script => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_somebody_else_has_is_told_so() {
        let store = MemoryStore::default();
        let leases = Leases::new(owner("one"));
        let session = session();
        let held = held(&leases, &store, &session).await;
        let mut watch = held.watch();
        leases.renew(&store).await.unwrap();
        assert!(watch.lost().now_or_never().is_none());
        advance(Duration::from_secs(16)).await;
        store.claim(session, &owner("two")).await.unwrap();
        leases.renew(&store).await.unwrap();
        assert!(watch.lost().now_or_never().is_some());
        assert!(watch.safe().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_dropped_is_not_renewed_and_one_that_is_released_is_free() {
        let store = MemoryStore::default();
        let leases = Leases::new(owner("one"));
        let session = session();
        drop(held(&leases, &store, &session).await);
        advance(Duration::from_secs(14)).await;
        leases.renew(&store).await.unwrap();
        advance(Duration::from_secs(2)).await;
        let two = Leases::new(owner("two"));
        let held = held(&two, &store, &session).await;
        assert!(store.claim(session.clone(), leases.owner()).await.is_err());
        held.release(&store, Duration::from_secs(1)).await;
        store.claim(session, leases.owner()).await.unwrap();
    }
}
