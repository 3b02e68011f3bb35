//! A ledger in memory, for tests under paused time. It passes the conformance suite like the others, and
//! can be taken away or be slow.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use patter_store::{Account, Booked, Correction, Ledger, Line, Spend, StoreError};
use tokio::time::sleep;

/// What was spent, in memory. Cloning gives another handle of the same.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    accounts: Mutex<BTreeMap<Account, Correction>>,
    is_away: AtomicBool,
    bookings: AtomicUsize,
    delay: Mutex<Option<Duration>>,
}

impl MemoryLedger {
    /// From now on calls fail at once and do nothing, or work again.
    pub fn set_away(&self, is_away: bool) {
        self.0.is_away.store(is_away, Ordering::SeqCst);
    }

    /// The next booking is done at once, and takes so long to be answered.
    pub fn delay_next(&self, by: Duration) {
        *self.0.delay.lock().unwrap() = Some(by);
    }

    /// How often it was asked to book.
    #[must_use]
    pub fn bookings(&self) -> usize {
        self.0.bookings.load(Ordering::SeqCst)
    }

    /// Everything that is on an account, of all its days.
    #[must_use]
    pub fn total(&self, name: &str) -> Spend {
        let accounts = self.0.accounts.lock().unwrap();
        let of_name = accounts.iter().filter(|(account, _)| account.name == name);
        of_name.fold(Spend::default(), |sum, (_, on_it)| sum.plus(spend(*on_it)))
    }

    fn book_now(&self, lines: &[Line], least: Spend, most: Spend) -> Result<Booked, StoreError> {
        self.pass()?;
        let mut accounts = self.0.accounts.lock().unwrap();
        let mut taken = most;
        for (line, Line { account, cap }) in lines.iter().enumerate() {
            let spent = spend(accounts.get(account).copied().unwrap_or_default());
            if !cap.has_room(spent, least) {
                return Ok(Booked::Refused { line, spent });
            }
            taken = cap.room(spent, least, taken);
        }
        for line in lines {
            let on_it = accounts.entry(line.account.clone()).or_default();
            *on_it = on_it.plus(taken.correction_of(Spend::default()));
        }
        Ok(Booked::Taken(taken))
    }

    fn pass(&self) -> Result<(), StoreError> {
        if self.0.is_away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the test made it so".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn book(&self, lines: &[Line], least: Spend, most: Spend) -> Result<Booked, StoreError> {
        self.0.bookings.fetch_add(1, Ordering::SeqCst);
        let booked = self.book_now(lines, least, most);
        let delay = self.0.delay.lock().unwrap().take();
        if let Some(delay) = delay {
            sleep(delay).await;
        }
        booked
    }

    async fn correct(&self, corrections: &[(Account, Correction)]) -> Result<(), StoreError> {
        self.pass()?;
        let mut accounts = self.0.accounts.lock().unwrap();
        for (account, correction) in corrections {
            let on_it = accounts.entry(account.clone()).or_default();
            *on_it = on_it.plus(*correction);
        }
        Ok(())
    }

    async fn spent(&self, wanted: &[Account]) -> Result<Vec<Spend>, StoreError> {
        self.pass()?;
        let accounts = self.0.accounts.lock().unwrap();
        let on = |account| spend(accounts.get(account).copied().unwrap_or_default());
        Ok(wanted.iter().map(on).collect())
    }

    async fn forget_before(&self, day: NaiveDate) -> Result<(), StoreError> {
        self.pass()?;
        let mut accounts = self.0.accounts.lock().unwrap();
        accounts.retain(|account, _| account.day.is_none_or(|of| of >= day));
        Ok(())
    }
}

fn spend(on_it: Correction) -> Spend {
    Spend {
        tokens: u64::try_from(on_it.tokens).unwrap_or(0),
        micro_usd: u64::try_from(on_it.micro_usd).unwrap_or(0),
    }
}
