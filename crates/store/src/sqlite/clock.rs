//! The clock of a SQLite file: this machine's, as text that sorts by time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use patter_protocol::Timestamp;

use crate::error::StoreError;

/// A moment. To be taken within the transaction that uses it: the wait for the write lock is over
/// then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(DateTime<Utc>);

impl Moment {
    pub(super) fn now() -> Self {
        Self(Utc::now())
    }

    /// So much later; the last of the times that the file can hold, if that is nearer.
    pub(super) fn after(self, time: Duration) -> Self {
        let later = TimeDelta::from_std(time)
            .ok()
            .and_then(|time| self.0.checked_add_signed(time))
            .filter(|later| *later < last());
        Self(later.unwrap_or_else(last))
    }

    /// RFC 3339 in UTC with milliseconds, as in the rest of the file.
    pub(super) fn text(self) -> String {
        Timestamp::from(self.0).to_string()
    }

    /// How long it is until `text`, which the file holds; zero if it is past.
    pub(super) fn until(self, text: &str) -> Result<Duration, StoreError> {
        let then = DateTime::parse_from_rfc3339(text)
            .map_err(|error| StoreError::Corrupt(format!("a time `{text}`: {error}")))?;
        Ok((then.to_utc() - self.0).to_std().unwrap_or_default())
    }
}

/// Any time as text that compares with those in the file as the times do, also one that no time in the
/// file can be.
pub(super) fn sortable(time: Timestamp) -> String {
    let first = DateTime::from_timestamp(-62_167_219_200, 0).unwrap_or(DateTime::<Utc>::MIN_UTC);
    Timestamp::from(time.as_datetime().clamp(first, last())).to_string()
}

/// 9999 has four digits, as all times in the file.
fn last() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
