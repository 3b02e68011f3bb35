//! What a client is told whose budget is spent.

use chrono::{Days, NaiveTime};
use patter_protocol::{JsonObject, Timestamp};
use patter_store::{Cap, Line, Spend};
use serde_json::{Value, json};

/// Which cap has no room, and what is left under it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Over {
    limit: &'static str,
    remaining: Value,
    resets_at: Option<Timestamp>,
}

impl Over {
    /// The cap of the turn, of which so much is spent, has no room for `more`.
    pub(super) fn turn(cap: Cap, spent: Spend, more: Spend) -> Self {
        Self::new(["turn_tokens", "turn_usd"], cap, spent, more, None)
    }

    /// This line has no room for `more`: that of a session or of a day.
    pub(super) fn line(line: &Line, spent: Spend, more: Spend) -> Self {
        let limits = match line.account.day {
            Some(_) => ["user_day_tokens", "user_day_usd"],
            None => ["session_tokens", "session_usd"],
        };
        Self::new(limits, line.cap, spent, more, resets_at(line))
    }

    fn new(
        [tokens, usd]: [&'static str; 2],
        cap: Cap,
        spent: Spend,
        more: Spend,
        resets_at: Option<Timestamp>,
    ) -> Self {
        let (limit, remaining) = if cap.holds_tokens(spent, more) {
            let cap = cap.micro_usd.unwrap_or(u64::MAX);
            (usd, json!(in_usd(cap.saturating_sub(spent.micro_usd))))
        } else {
            let cap = cap.tokens.unwrap_or(u64::MAX);
            (tokens, json!(cap.saturating_sub(spent.tokens)))
        };
        Self {
            limit,
            remaining,
            resets_at,
        }
    }

    /// For a person.
    pub(crate) fn message(&self) -> String {
        let spent = match self.limit.split_once('_') {
            Some(("turn", _)) => "what one answer may take is spent",
            Some(("session", _)) => "what this conversation may take is spent",
            _ => "what may be spent today is spent",
        };
        spent.to_owned()
    }

    pub(crate) fn limit(&self) -> &'static str {
        self.limit
    }

    /// For a program.
    pub(crate) fn details(&self) -> JsonObject {
        let mut details = JsonObject::new();
        details.insert("limit".to_owned(), self.limit.into());
        details.insert("remaining".to_owned(), self.remaining.clone());
        details.insert("resets_at".to_owned(), json!(self.resets_at));
        details
    }
}

/// When what is on this account counts no more; `None` where it always does.
pub(super) fn resets_at(line: &Line) -> Option<Timestamp> {
    let next = line.account.day?.checked_add_days(Days::new(1))?;
    Some(Timestamp::from(next.and_time(NaiveTime::MIN).and_utc()))
}

/// Millionths of a dollar as dollars.
pub(super) fn in_usd(micro_usd: u64) -> f64 {
    micro_usd as f64 / 1e6
}
