//! `GET /api/usage`: what was spent, and what is left.

use http::StatusCode;
use patter_protocol::{SessionId, Timestamp};
use patter_session::{Allowance, Spender};
use patter_store::{Cap, Spend};
use schemars::JsonSchema;
use serde::Serialize;

use super::access::{self, Need};
use super::{App, Problem, Query, Reply, checks, json};
use crate::auth::Caller;

/// What was spent of each budget, and what is left of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageReport")]
pub(super) struct UsageJson {
    /// Whose day it is; null where nobody is known: then it is the session's.
    user_id: Option<String>,
    /// What one answer may take.
    turn: LimitsJson,
    /// The session that was asked for, from its beginning on.
    session: Option<AllowanceJson>,
    /// Today, by UTC; null where neither a user nor a session is asked for.
    day: Option<AllowanceJson>,
}

/// One budget.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Allowance")]
struct AllowanceJson {
    /// Spent, by what answers in flight have booked so far.
    spent: AmountJson,
    /// The most that may be.
    limits: LimitsJson,
    /// What is left.
    remaining: LimitsJson,
    /// When it begins anew; null if it never does.
    resets_at: Option<Timestamp>,
}

/// An amount.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Amount")]
struct AmountJson {
    /// Tokens, read and written.
    tokens: u64,
    /// US dollars, as far as costs are known.
    usd: f64,
}

/// Bounds of an amount.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AmountLimits")]
struct LimitsJson {
    /// Null where tokens are not bounded.
    tokens: Option<u64>,
    /// US dollars; null where they are not bounded.
    usd: Option<f64>,
}

/// Whose usage is wanted.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document; `usage` reads it")]
struct UsageParameters {
    /// Whose day; the caller's where nothing is said. A user may ask for nobody else's.
    #[param(min_length = 1, max_length = 256)]
    user_id: Option<String>,
    /// A session besides; and its user's day, where no user is said.
    #[param(
        min_length = 1,
        max_length = 128,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._~:-]*$"
    )]
    session_id: Option<String>,
}

/// What was spent, and what may still be.
///
/// # Errors
///
/// 400 for a bad parameter, 403 if a user asks for somebody else's, 404 for a session that there is not or
/// that is somebody else's, 503 if the store does not answer.
#[utoipa::path(
    get,
    operation_id = "getUsage",
    path = "/api/usage",
    tag = "sessions",
    params(UsageParameters),
    responses(
        (status = 200, description = "What was spent and what is left", body = ref("#/components/schemas/UsageReport")),
        (status = 403, description = "It is somebody else's"),
        (status = 404, description = "There is no such session"),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(super) async fn usage(app: &App, query: &Query<'_>, caller: &Caller) -> Reply {
    let spender = spender(app, query, caller).await?;
    let usage = app.sessions.usage(&spender).await?;
    let shown = UsageJson {
        user_id: spender.user_id,
        turn: usage.as_ref().map(|it| it.turn).unwrap_or_default().into(),
        session: usage.as_ref().and_then(|it| it.session).map(Into::into),
        day: usage.as_ref().and_then(|it| it.day).map(Into::into),
    };
    Ok(json(StatusCode::OK, &shown))
}

/// Whose usage is wanted, if the caller may know it.
async fn spender(app: &App, query: &Query<'_>, caller: &Caller) -> Result<Spender, Problem> {
    let user_id = match query.user_id()? {
        None => caller.user_id().map(str::to_owned),
        asked => access::listed(app, caller, asked)?,
    };
    let Some(session_id) = query.single("session_id")? else {
        let session_id = None;
        return Ok(Spender {
            session_id,
            user_id,
        });
    };
    let session_id: SessionId = checks::session_id(session_id)?;
    let record = access::session(app, caller, &session_id, Need::Read).await?;
    Ok(Spender {
        session_id: Some(session_id),
        user_id: user_id.or(record.user_id),
    })
}

impl From<Allowance> for AllowanceJson {
    fn from(allowance: Allowance) -> Self {
        Self {
            spent: allowance.spent.into(),
            limits: allowance.cap.into(),
            remaining: allowance.remaining().into(),
            resets_at: allowance.resets_at,
        }
    }
}

impl From<Spend> for AmountJson {
    fn from(spend: Spend) -> Self {
        Self {
            tokens: spend.tokens,
            usd: in_usd(spend.micro_usd),
        }
    }
}

impl From<Cap> for LimitsJson {
    fn from(cap: Cap) -> Self {
        Self {
            tokens: cap.tokens,
            usd: cap.micro_usd.map(in_usd),
        }
    }
}

fn in_usd(micro_usd: u64) -> f64 {
    micro_usd as f64 / 1e6
}
