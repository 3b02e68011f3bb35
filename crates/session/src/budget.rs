//! How much may be spent on answers, and how much is left: caps for a turn, a session and a user's day, in
//! tokens and in dollars.
//!
//! What is spent is kept in a [`Ledger`](patter_store::Ledger) that processes share. Before a model is asked,
//! and while it speaks, what it will use next is booked there first, so that turns in any number of
//! processes take no more together than there is room for; when the model has said what it used, the
//! difference is booked back. What a step turns out to have used beyond what was counted of it is the one
//! thing by which a cap can be exceeded.

mod bill;
mod booking;
mod books;
mod estimate;
mod meter;
mod metered;
mod over;
mod usage;

use chrono::{NaiveDate, Utc};
use patter_protocol::SessionId;
use patter_store::{Account, Cap, Line};

pub(crate) use bill::Bill;
pub(crate) use books::Books;
pub(crate) use meter::Meter;
pub(crate) use metered::Metered;
pub(crate) use over::Over;
pub use usage::{Allowance, Usage};

/// How much may be spent. A cap without a figure does not bind.
///
/// An answer of a model without a price counts by its tokens alone: caps in dollars do not stop it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budgets {
    /// On one answer, tools and all; what models other than the one that answers are asked besides, for
    /// summaries or a route, is not in it.
    pub turn: Cap,
    /// On one session, from its beginning on, also after it was deleted and begun again.
    pub session: Cap,
    /// By one user on one day in UTC; where nobody is known, by one session.
    pub user_day: Cap,
}

/// Whose spending is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spender {
    /// The session.
    pub session_id: Option<SessionId>,
    /// The user that the session belongs to, if any.
    pub user_id: Option<String>,
}

impl Budgets {
    /// What is booked on when a session spends, each with its cap: the session first, then the day.
    fn lines(&self, spender: &Spender, today: NaiveDate) -> Vec<Line> {
        let session = spender.session().map(|account| Line {
            account,
            cap: self.session,
        });
        let day = spender.day(today).map(|account| Line {
            account,
            cap: self.user_day,
        });
        session.into_iter().chain(day).collect()
    }
}

impl Spender {
    /// The account of the session, of all time.
    fn session(&self) -> Option<Account> {
        let session_id = self.session_id.as_ref()?;
        Some(Account {
            name: format!("session:{session_id}"),
            day: None,
        })
    }

    /// The account of the day: the user's, or the session's where there is no user.
    fn day(&self, today: NaiveDate) -> Option<Account> {
        let name = match (&self.user_id, &self.session_id) {
            (Some(user_id), _) => format!("user:{user_id}"),
            (None, Some(session_id)) => format!("session:{session_id}"),
            (None, None) => return None,
        };
        let day = Some(today);
        Some(Account { name, day })
    }
}

/// The day by which is counted.
fn today() -> NaiveDate {
    Utc::now().date_naive()
}
