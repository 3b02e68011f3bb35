//! What may be spent.

use patter_session::Budgets;
use patter_store::Cap;
use serde::Deserialize;

/// How much answers may cost and take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BudgetsConfig {
    /// US dollars for one answer; 0 for any number.
    pub turn_usd: f64,
    /// Tokens for one answer.
    pub turn_tokens: Option<u64>,
    /// US dollars for one session; 0 for any number.
    pub session_usd: f64,
    /// Tokens for one session.
    pub session_tokens: Option<u64>,
    /// US dollars for a user's day; 0 for any number.
    pub user_day_usd: f64,
    /// Tokens for a user's day.
    pub user_day_tokens: Option<u64>,
}

impl BudgetsConfig {
    /// As sessions are held to them.
    pub(crate) fn caps(&self) -> Budgets {
        Budgets {
            turn: cap(self.turn_usd, self.turn_tokens),
            session: cap(self.session_usd, self.session_tokens),
            user_day: cap(self.user_day_usd, self.user_day_tokens),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the key takes no number below zero and none beyond a million"
)]
fn cap(usd: f64, tokens: Option<u64>) -> Cap {
    let micro_usd = (usd > 0.0).then(|| (usd * 1e6).round() as u64);
    Cap { tokens, micro_usd }
}
