//! One booking, and what it gives: a grant that goes back where it came from if nobody takes it.

use std::mem;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use patter_store::{Booked, Line, Spend};
use tokio::time::timeout;
use tracing::warn;

use super::books::{CALL_LIMIT, Inner, told};
use crate::error::with_causes;

/// What became of a booking.
pub(super) enum Booking {
    Taken(Grant),
    Refused {
        line: usize,
        spent: Spend,
    },
    /// The ledger does not answer.
    Unchecked,
    /// It has not answered in time. What it says in the end is what this gives, or that it is later still.
    Late(BoxFuture<'static, Self>),
}

/// What was booked for somebody. Nobody's, it is booked back.
#[derive(Debug)]
pub(super) struct Grant {
    inner: Arc<Inner>,
    lines: Vec<Line>,
    spend: Spend,
}

impl Grant {
    /// Takes it over.
    pub(super) fn take(mut self) -> Spend {
        mem::take(&mut self.spend)
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        let back = Spend::default().correction_of(self.spend);
        self.inner.owe(&self.lines, back);
    }
}

/// Books `least` to `most` on all lines, if there is room.
pub(super) async fn book(
    inner: Arc<Inner>,
    lines: Vec<Line>,
    least: Spend,
    most: Spend,
) -> Booking {
    // What the turn before was thought to use and did not, or did beyond that, counts for this one.
    let owed = inner.take_owed(&lines);
    if !owed.is_empty() {
        inner.correct(owed).await;
    }
    let call = timeout(CALL_LIMIT, inner.ledger.book(&lines, least, most)).await;
    match told(call) {
        Ok(Booked::Taken(spend)) => Booking::Taken(Grant {
            inner,
            lines,
            spend,
        }),
        Ok(Booked::Refused { line, spent }) => Booking::Refused { line, spent },
        Err(error) => {
            let error = with_causes(&error);
            warn!(
                error,
                "the ledger does not answer; answers go on without it"
            );
            Booking::Unchecked
        }
    }
}
