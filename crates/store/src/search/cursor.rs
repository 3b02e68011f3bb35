//! Where a page of hits ended, as a text that a client carries to and fro.

use std::fmt;
use std::str::FromStr;

use crate::error::StoreError;

/// Where a page of hits ended. As text it is opaque, of lower-case letters, digits and `-`.
///
/// It holds which events were ranked for the first page, so that all pages are of one ranking
/// whatever is stored in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchCursor {
    /// The first and the last event that was ranked, by the numbers of their rows.
    pub(crate) oldest: i64,
    pub(crate) newest: i64,
    /// The score of the last hit, and the number of its row.
    pub(crate) score: i32,
    pub(crate) number: i64,
}

impl fmt::Display for SearchCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            oldest,
            newest,
            score,
            number,
        } = self;
        write!(f, "{oldest:x}-{newest:x}-{score:x}-{number:x}")
    }
}

impl FromStr for SearchCursor {
    type Err = StoreError;

    /// Reads what [`Display`](fmt::Display) wrote, and nothing else.
    ///
    /// # Errors
    ///
    /// [`StoreError::Rejected`].
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let wrong = || StoreError::Rejected("not a cursor of a search".into());
        let parts: Option<Vec<i64>> = text
            .split('-')
            .map(|part| i64::from_str_radix(part, 16).ok())
            .collect();
        let Some(&[oldest, newest, score, number]) = parts.as_deref() else {
            return Err(wrong());
        };
        let cursor = Self {
            oldest,
            newest,
            score: i32::try_from(score).map_err(|_| wrong())?,
            number,
        };
        // One text for one place: no sign, no zero in front.
        if cursor.to_string() == text {
            Ok(cursor)
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let cursor = SearchCursor {
            oldest: 1,
            newest: 300,
            score: 60_792,
            number: i64::MAX,
        };
        let text = cursor.to_string();
        assert_eq!(text.parse::<SearchCursor>().unwrap(), cursor);
        let longer = format!("{text}-1");
        let padded = format!("0{text}");
        for wrong in [
            "",
            "-",
            "1-2-3",
            "1-2-3-",
            "1-2-3-+4",
            "1-2-3-g",
            " 1-2-3-4",
            "1-2-3-4F",
            "1-2-3-4\0",
            "1-2-ffffffffff-4",
            "1-2-3-8000000000000000",
            &longer,
            &padded,
        ] {
            assert!(wrong.parse::<SearchCursor>().is_err(), "{wrong:?}");
        }
    }
}
