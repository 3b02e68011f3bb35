//! Pages of sessions, from PostgreSQL.
//!
//! `start_time` may have microseconds there, and the place of a session in the list has milliseconds,
//! as every time that leaves the store. So the order is that of the milliseconds, by the indexes
//! `sessions_listed_idx` and `sessions_listed_user_idx`, which hold exactly this expression.

use chrono::NaiveDateTime;
use patter_protocol::Timestamp;
use sqlx::{Postgres, QueryBuilder};

use super::record;
use crate::archive::{ListQuery, SessionList};
use crate::encode::{or_left_out, session_columns};
use crate::error::StoreError;
use crate::postgres::connections::Connections;

/// When a session was first opened, in milliseconds, as a `timestamp` in UTC.
macro_rules! start {
    () => {
        "date_trunc('milliseconds', start_time at time zone 'UTC')"
    };
}

/// See [`SessionArchive::list`](crate::SessionArchive::list).
pub(super) async fn list(
    connections: &Connections,
    wanted: &ListQuery,
) -> Result<SessionList, StoreError> {
    let mut asked = wanted.limit;
    loop {
        let mut query = selection(wanted, asked);
        let rows = connections.fetch(query.build()).await?;
        let read = |row: &_| or_left_out(record(row));
        if let Some(list) = SessionList::of_rows(&rows, asked, wanted, read) {
            return Ok(list);
        }
        asked = asked.saturating_mul(2);
    }
}

/// Only the conditions that are asked for: one that stands there for another case would keep the
/// planner from the index.
fn selection(wanted: &ListQuery, asked: u32) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        session_columns!(),
        " from patter.sessions where true"
    ));
    if let Some(user_id) = &wanted.user_id {
        query.push(" and user_id = ").push_bind(user_id.clone());
    }
    match wanted.active {
        Some(true) => query.push(" and is_active"),
        Some(false) => query.push(" and not is_active"),
        None => &mut query,
    };
    if let Some(from) = wanted.from {
        query.push(concat!(" and ", start!(), " >= "));
        query.push_bind(naive(from));
    }
    if let Some(to) = wanted.to {
        query.push(concat!(" and ", start!(), " < "));
        query.push_bind(naive(to));
    }
    if let Some(before) = &wanted.before {
        query.push(concat!(
            " and (",
            start!(),
            ", session_id collate \"C\") < ("
        ));
        query.push_bind(naive(before.start_time)).push(", ");
        query.push_bind(before.session_id.as_str().to_owned());
        query.push(")");
    }
    query.push(concat!(
        " order by ",
        start!(),
        " desc, session_id collate \"C\" desc limit "
    ));
    // One more tells whether there are more.
    query.push_bind(i64::from(asked) + 1);
    query
}

fn naive(time: Timestamp) -> NaiveDateTime {
    time.as_datetime().naive_utc()
}
