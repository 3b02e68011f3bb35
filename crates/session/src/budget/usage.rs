//! What somebody has spent, and what is left.

use patter_protocol::Timestamp;
use patter_store::{Cap, Line, Spend, StoreError};

use super::books::Books;
use super::over::resets_at;
use super::{Spender, today};

/// What a [`Spender`] has spent and may spend.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The most that one answer may take.
    pub turn: Cap,
    /// The session's, if one is asked for.
    pub session: Option<Allowance>,
    /// Today's; `None` where nobody is asked for.
    pub day: Option<Allowance>,
}

/// What was spent of what may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allowance {
    /// So much was, with what answers in flight have booked.
    pub spent: Spend,
    /// So much may be.
    pub cap: Cap,
    /// When it begins anew; `None` if it never does.
    pub resets_at: Option<Timestamp>,
}

impl Allowance {
    /// What is left, by each measure that is bounded.
    #[must_use]
    pub fn remaining(&self) -> Cap {
        let left = |cap: Option<u64>, spent: u64| cap.map(|cap| cap.saturating_sub(spent));
        Cap {
            tokens: left(self.cap.tokens, self.spent.tokens),
            micro_usd: left(self.cap.micro_usd, self.spent.micro_usd),
        }
    }
}

impl Books {
    /// What is in them of this spender, now.
    pub(crate) async fn usage(&self, spender: &Spender) -> Result<Usage, StoreError> {
        self.settled().await;
        let lines = self.budgets().lines(spender, today());
        let accounts: Vec<_> = lines.iter().map(|line| line.account.clone()).collect();
        let spent = self.ledger().spent(&accounts).await?;
        let of = |wanted: fn(&Line) -> bool| {
            let mut found = lines.iter().zip(&spent);
            let (line, spent) = found.find(|(line, _)| wanted(line))?;
            Some(Allowance {
                spent: *spent,
                cap: line.cap,
                resets_at: resets_at(line),
            })
        };
        Ok(Usage {
            turn: self.budgets().turn,
            session: of(|line| line.account.day.is_none()),
            day: of(|line| line.account.day.is_some()),
        })
    }
}
