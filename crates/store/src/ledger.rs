//! What was spent, by account: what budgets are held by, whichever process spends.
//!
//! Accounts are names, and no rows of anything else hang on them: what was spent stays spent when a session
//! is deleted, and nothing that is imported is taken for spent.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;

use crate::error::StoreError;

/// More is not booked at once, whatever somebody says was used: sums stay far from what a database holds.
const MOST: u64 = 1_000_000_000_000;
/// Of accounts that have no day.
const ALWAYS: &str = "always";

/// An amount, by both measures. A cost that is not known is none: it counts by its tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spend {
    /// Tokens, read and written.
    pub tokens: u64,
    /// Millionths of a US dollar.
    pub micro_usd: u64,
}

/// A change to what was booked: what was really spent less what had been booked for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Correction {
    /// Tokens.
    pub tokens: i64,
    /// Millionths of a US dollar.
    pub micro_usd: i64,
}

/// The most that may be spent. A measure without a figure does not bind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cap {
    /// Tokens, read and written.
    pub tokens: Option<u64>,
    /// Millionths of a US dollar.
    pub micro_usd: Option<u64>,
}

/// Whose spending it is, and of when.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    /// Who spends: `user:ID`, `session:ID`. Not empty, without U+0000.
    pub name: String,
    /// The day in UTC; `None` for all time.
    pub day: Option<NaiveDate>,
}

/// An account that is to be booked on, and the most that may be on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// Its cap.
    pub cap: Cap,
}

/// What became of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Booked {
    /// So much is on each of the accounts now that was not before.
    Taken(Spend),
    /// Nothing was booked.
    Refused {
        /// Which line had no room, the first of them.
        line: usize,
        /// What was on its account.
        spent: Spend,
    },
}

/// Keeps what was spent.
///
/// The suite of `patter-testkit` (`ledger_conformance`) holds every ledger to this. Each call has a deadline
/// of its own and ends with [`StoreError::Unavailable`] when that has passed.
#[async_trait]
pub trait Ledger: Debug + Send + Sync {
    /// Books as much of `most` as there is room for on every line, by each measure, if that is `least` or
    /// more; and otherwise nothing. All of it or nothing is done, and one booking after the other, whichever
    /// processes they come from: together they never take more than there is room for.
    ///
    /// A measure of which `least` is 0 refuses nothing. No line may stand there twice.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]: whether it was booked is not known. [`StoreError::Rejected`] for a name
    /// that the database cannot hold.
    async fn book(&self, lines: &[Line], least: Spend, most: Spend) -> Result<Booked, StoreError>;

    /// Changes what is on accounts, whatever their caps, all of it or nothing. No account may stand there
    /// twice.
    ///
    /// # Errors
    ///
    /// As [`book`](Self::book).
    async fn correct(&self, corrections: &[(Account, Correction)]) -> Result<(), StoreError>;

    /// What is on these accounts, in their order; nothing on one that was never booked on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn spent(&self, accounts: &[Account]) -> Result<Vec<Spend>, StoreError>;

    /// Forgets the days before this one. Accounts without a day stay.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn forget_before(&self, day: NaiveDate) -> Result<(), StoreError>;
}

impl Spend {
    /// The sum, as far as it can be counted.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(more.tokens),
            micro_usd: self.micro_usd.saturating_add(more.micro_usd),
        }
    }

    /// What is left of it without `other`; nothing where that is more.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            micro_usd: self.micro_usd.saturating_sub(other.micro_usd),
        }
    }

    /// Whether it is more than `other` by any measure.
    #[must_use]
    pub fn exceeds(self, other: Self) -> bool {
        self.tokens > other.tokens || self.micro_usd > other.micro_usd
    }

    /// What is to be changed where `booked` stands and this was spent.
    #[must_use]
    pub fn correction_of(self, booked: Self) -> Correction {
        Correction {
            tokens: signed(self.tokens) - signed(booked.tokens),
            micro_usd: signed(self.micro_usd) - signed(booked.micro_usd),
        }
    }
}

impl Correction {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// Both, one after the other.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(more.tokens),
            micro_usd: self.micro_usd.saturating_add(more.micro_usd),
        }
    }
}

impl Cap {
    /// Whether so much more fits on top of what was spent; a measure of which nothing is wanted always does.
    #[must_use]
    pub fn has_room(self, spent: Spend, more: Spend) -> bool {
        self.holds_tokens(spent, more) && self.holds_usd(spent, more)
    }

    /// The same by tokens alone.
    #[must_use]
    pub fn holds_tokens(self, spent: Spend, more: Spend) -> bool {
        fits(self.tokens, spent.tokens, more.tokens)
    }

    /// The same by cost alone.
    #[must_use]
    pub fn holds_usd(self, spent: Spend, more: Spend) -> bool {
        fits(self.micro_usd, spent.micro_usd, more.micro_usd)
    }

    /// As much of `most` as there is room for, `least` in any case.
    #[must_use]
    pub fn room(self, spent: Spend, least: Spend, most: Spend) -> Spend {
        let room = |cap: Option<u64>, spent: u64, least: u64, most: u64| match cap {
            Some(cap) => most.min(cap.saturating_sub(spent).max(least)),
            None => most,
        };
        Spend {
            tokens: room(self.tokens, spent.tokens, least.tokens, most.tokens),
            micro_usd: room(
                self.micro_usd,
                spent.micro_usd,
                least.micro_usd,
                most.micro_usd,
            ),
        }
    }
}

impl Account {
    /// How a ledger writes down when it is of.
    #[must_use]
    pub fn period(&self) -> String {
        self.day
            .map_or_else(|| ALWAYS.to_owned(), |day| day.to_string())
    }
}

/// A ledger that several callers share.
#[async_trait]
impl<L: Ledger + ?Sized> Ledger for Arc<L> {
    async fn book(&self, lines: &[Line], least: Spend, most: Spend) -> Result<Booked, StoreError> {
        (**self).book(lines, least, most).await
    }

    async fn correct(&self, corrections: &[(Account, Correction)]) -> Result<(), StoreError> {
        (**self).correct(corrections).await
    }

    async fn spent(&self, accounts: &[Account]) -> Result<Vec<Spend>, StoreError> {
        (**self).spent(accounts).await
    }

    async fn forget_before(&self, day: NaiveDate) -> Result<(), StoreError> {
        (**self).forget_before(day).await
    }
}

fn fits(cap: Option<u64>, spent: u64, more: u64) -> bool {
    more == 0 || cap.is_none_or(|cap| spent.saturating_add(more) <= cap)
}

/// As databases count.
pub(crate) fn signed(amount: u64) -> i64 {
    i64::try_from(amount.min(MOST)).unwrap_or(i64::MAX)
}

/// A figure out of a database; one that a correction came to first counts as nothing.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn unsigned(amount: i64) -> u64 {
    u64::try_from(amount).unwrap_or(0)
}
