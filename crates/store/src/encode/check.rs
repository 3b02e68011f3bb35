//! What is refused before it reaches a database, because not every one keeps it.

use chrono::{DateTime, Datelike, Utc};
use patter_protocol::Timestamp;

use crate::error::StoreError;

/// Text that every database takes.
///
/// # Errors
///
/// [`StoreError::Rejected`] if there is a U+0000 in it.
pub(crate) fn checked_text(text: String) -> Result<String, StoreError> {
    if text.contains('\0') {
        Err(StoreError::Rejected("a text contains U+0000".into()))
    } else {
        Ok(text)
    }
}

/// A time that every database keeps and sorts.
///
/// # Errors
///
/// [`StoreError::Rejected`] outside the years 0 to 9999.
pub(crate) fn checked_time(time: Timestamp) -> Result<DateTime<Utc>, StoreError> {
    let time = time.as_datetime();
    if (0..=9999).contains(&time.year()) {
        Ok(time)
    } else {
        Err(StoreError::Rejected(
            "a time is outside the years 0 to 9999".into(),
        ))
    }
}
