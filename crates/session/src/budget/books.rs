//! The way to the ledger: what is to be spent is booked before, and what was booked wrongly is put right
//! after, a little later and for many answers at once.
//!
//! A ledger that does not answer stops nobody: what is spent meanwhile is owed to it, and booked when it is
//! back. Until then only the caps of turns hold.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Days;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use patter_store::{Account, Correction, Ledger, Line, Spend, StoreError};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::booking::{self, Booking};
use super::{Budgets, today};
use crate::error::with_causes;

/// So long an answer waits for a booking; then it goes on without.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long one call may take. Ledgers have deadlines of their own; this one is for one that does not keep
/// to them.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(15);
/// So long a ledger that failed is not asked to book, after so many failures in a row: one slow call says
/// nothing of the next one, and while the ledger rests the caps of sessions and users hold nobody.
const REST: Duration = Duration::from_secs(5);
const FAILURES_BEFORE_REST: u32 = 3;
/// The pause before what is owed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Of so many accounts something may be owed; what others owe is lost.
const MAX_OWED: usize = 100_000;
/// How often old days are forgotten, and how many are kept.
const FORGET_EVERY: Duration = Duration::from_hours(6);
const KEPT_DAYS: Days = Days::new(62);

/// See the [module](self). Cheap to clone; all clones share one task, which ends with
/// [`close`](Self::close) or when the last of them is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    inner: Arc<Inner>,
    _ends_with_books: Arc<DropGuard>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) ledger: Arc<dyn Ledger>,
    budgets: Budgets,
    /// What is to be put right.
    owed: Mutex<HashMap<Account, Correction>>,
    /// Told to the task when something is owed.
    news: Notify,
    /// Whether nothing is owed; said by the task.
    is_settled: watch::Sender<bool>,
    health: Mutex<Health>,
    closing: CancellationToken,
    /// The task, and bookings that are under way.
    tasks: TaskTracker,
}

/// How bookings went of late.
#[derive(Debug, Default)]
struct Health {
    failures_in_a_row: u32,
    failed_at: Option<Instant>,
    rests_until: Option<Instant>,
}

/// Waits a while for a booking that was asked for at `since`.
fn wait(
    inner: Arc<Inner>,
    mut receiver: oneshot::Receiver<Booking>,
    since: Instant,
) -> BoxFuture<'static, Booking> {
    let waiting = async move {
        let booking = match timeout(PATIENCE, &mut receiver).await {
            Ok(Ok(booking)) => booking,
            Ok(Err(_)) => Booking::Unchecked,
            Err(_elapsed) => Booking::Late(wait(Arc::clone(&inner), receiver, since)),
        };
        inner.note(&booking, since);
        booking
    };
    waiting.boxed()
}

impl Books {
    /// Opens the books. To be called within a tokio runtime.
    pub(crate) fn open(ledger: Arc<dyn Ledger>, budgets: Budgets) -> Self {
        let closing = CancellationToken::new();
        let inner = Arc::new(Inner {
            ledger,
            budgets,
            owed: Mutex::default(),
            news: Notify::new(),
            is_settled: watch::Sender::new(true),
            health: Mutex::default(),
            closing: closing.clone(),
            tasks: TaskTracker::new(),
        });
        inner.tasks.spawn(keep(Arc::clone(&inner)));
        inner.tasks.close();
        Self {
            inner,
            _ends_with_books: Arc::new(closing.drop_guard()),
        }
    }

    pub(super) fn budgets(&self) -> &Budgets {
        &self.inner.budgets
    }

    pub(super) fn ledger(&self) -> &dyn Ledger {
        &*self.inner.ledger
    }

    /// Books `least` to `most` on all lines, if there is room.
    ///
    /// # Cancel safety
    ///
    /// Dropped, what is booked nevertheless is booked back.
    pub(super) fn book(
        &self,
        lines: Vec<Line>,
        least: Spend,
        most: Spend,
    ) -> BoxFuture<'static, Booking> {
        let inner = Arc::clone(&self.inner);
        if inner.rests() {
            return ready(Booking::Unchecked).boxed();
        }
        let (sender, receiver) = oneshot::channel();
        let booking = booking::book(Arc::clone(&inner), lines, least, most);
        inner.tasks.spawn(async move {
            // Whoever asked may have left: a grant that is dropped is booked back.
            let _gone = sender.send(booking.await);
        });
        wait(inner, receiver, Instant::now())
    }

    /// Has this booked on all lines, whatever their caps, soon.
    pub(super) fn owe(&self, lines: &[Line], correction: Correction) {
        self.inner.owe(lines, correction);
    }

    /// Waits until what is owed is booked, or the ledger has had its time.
    pub(super) async fn settled(&self) {
        let mut settled = self.inner.is_settled.subscribe();
        // Who asks is told what is known then.
        let _late = timeout(PATIENCE, settled.wait_for(|is_settled| *is_settled)).await;
    }

    /// Books what is owed, and ends.
    pub(crate) async fn close(&self) {
        self.inner.closing.cancel();
        self.inner.tasks.wait().await;
    }
}

impl Inner {
    pub(super) fn owe(&self, lines: &[Line], correction: Correction) {
        if correction.is_zero() {
            return;
        }
        let corrections = lines.iter().map(|line| (line.account.clone(), correction));
        self.put(corrections);
        self.news.notify_one();
    }

    fn put(&self, corrections: impl IntoIterator<Item = (Account, Correction)>) {
        let mut owed = self.owed();
        for (account, correction) in corrections {
            if owed.len() < MAX_OWED || owed.contains_key(&account) {
                let sum = owed.entry(account).or_default();
                *sum = sum.plus(correction);
            } else {
                warn!("too much is owed to the ledger; what more is spent is lost");
            }
        }
        self.is_settled.send_replace(false);
    }

    fn owed(&self) -> MutexGuard<'_, HashMap<Account, Correction>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests(&self) -> bool {
        let end = self.health().rests_until;
        end.is_some_and(|end| end > Instant::now())
    }

    /// How a booking went that was asked for at `since`. What was under way at the last failure says nothing
    /// more.
    fn note(&self, booking: &Booking, since: Instant) {
        let mut health = self.health();
        if health.failed_at.is_some_and(|failed_at| since < failed_at) {
            return;
        }
        if !matches!(booking, Booking::Unchecked | Booking::Late(_)) {
            health.failures_in_a_row = 0;
            return;
        }
        health.failed_at = Some(Instant::now());
        health.failures_in_a_row += 1;
        if health.failures_in_a_row >= FAILURES_BEFORE_REST {
            health.failures_in_a_row = 0;
            health.rests_until = Some(Instant::now() + REST);
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is owed to the accounts of these lines, taken out.
    pub(super) fn take_owed(&self, lines: &[Line]) -> Vec<(Account, Correction)> {
        let mut owed = self.owed();
        let accounts = lines.iter().map(|line| &line.account);
        accounts
            .filter_map(|account| owed.remove_entry(account))
            .collect()
    }

    /// Books what is owed. Whether nothing is left of it.
    async fn settle(&self) -> bool {
        let owed = mem::take(&mut *self.owed());
        let corrections: Vec<_> = owed.into_iter().filter(|(_, it)| !it.is_zero()).collect();
        if !corrections.is_empty() && !self.correct(corrections).await {
            return false;
        }
        let owed = self.owed();
        let is_settled = owed.is_empty();
        self.is_settled.send_replace(is_settled);
        is_settled
    }

    /// Books corrections; keeps them where that fails. Whether they are done with.
    pub(super) async fn correct(&self, corrections: Vec<(Account, Correction)>) -> bool {
        let call = timeout(CALL_LIMIT, self.ledger.correct(&corrections)).await;
        match told(call) {
            Ok(()) => true,
            Err(error @ (StoreError::Rejected(_) | StoreError::Corrupt(_))) => {
                let error = with_causes(&error);
                warn!(error, "what was spent cannot be kept, and is lost");
                true
            }
            Err(error) => {
                let error = with_causes(&error);
                warn!(error, "what was spent cannot be kept for now");
                self.put(corrections);
                self.news.notify_one();
                false
            }
        }
    }

    async fn forget(&self) {
        let Some(day) = today().checked_sub_days(KEPT_DAYS) else {
            return;
        };
        let call = timeout(CALL_LIMIT, self.ledger.forget_before(day)).await;
        if let Err(error) = told(call) {
            let error = with_causes(&error);
            warn!(error, "old days of the ledger stay for now");
        }
    }
}

/// The task: books what is owed, until the books are closed.
async fn keep(inner: Arc<Inner>) {
    let mut forgets_at = Instant::now() + FORGET_EVERY;
    while !inner.closing.is_cancelled() {
        tokio::select! {
            biased;
            () = inner.news.notified() => {
                while !inner.settle().await && !inner.closing.is_cancelled() {
                    let _closed = timeout(RETRY, inner.closing.cancelled()).await;
                }
            }
            () = tokio::time::sleep_until(forgets_at) => {
                inner.forget().await;
                forgets_at = Instant::now() + FORGET_EVERY;
            }
            () = inner.closing.cancelled() => {}
        }
    }
    // Bookings that were under way may still give something back.
    for _ in 0..2 {
        if inner.settle().await {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

pub(super) fn told<T>(
    call: Result<Result<T, StoreError>, tokio::time::error::Elapsed>,
) -> Result<T, StoreError> {
    call.unwrap_or_else(|elapsed| Err(StoreError::Unavailable(elapsed.into())))
}
