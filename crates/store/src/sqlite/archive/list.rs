//! Pages of sessions, from SQLite.

use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use super::record;
use crate::archive::{ListQuery, SessionList};
use crate::encode::{or_left_out, session_columns};
use crate::error::StoreError;
use crate::sqlite::clock::sortable;
use crate::sqlite::error::from_sqlx;

/// See [`SessionArchive::list`](crate::SessionArchive::list).
pub(super) async fn list(pool: &SqlitePool, wanted: &ListQuery) -> Result<SessionList, StoreError> {
    let mut asked = wanted.limit;
    loop {
        let mut query = selection(wanted, asked);
        let rows = query.build().fetch_all(pool).await.map_err(from_sqlx)?;
        let read = |row: &_| or_left_out(record(row));
        if let Some(list) = SessionList::of_rows(&rows, asked, wanted, read) {
            return Ok(list);
        }
        asked = asked.saturating_mul(2);
    }
}

/// Only the conditions that are asked for: one that stands there for another case would keep the
/// planner from the index.
fn selection(wanted: &ListQuery, asked: u32) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        session_columns!(),
        " from sessions where true"
    ));
    if let Some(user_id) = &wanted.user_id {
        query.push(" and user_id = ").push_bind(user_id.clone());
    }
    match wanted.active {
        Some(true) => query.push(" and is_active = 1"),
        Some(false) => query.push(" and is_active = 0"),
        None => &mut query,
    };
    if let Some(from) = wanted.from {
        query.push(" and start_time >= ").push_bind(sortable(from));
    }
    if let Some(to) = wanted.to {
        query.push(" and start_time < ").push_bind(sortable(to));
    }
    if let Some(before) = &wanted.before {
        query.push(" and (start_time, session_id) < (");
        query.push_bind(sortable(before.start_time)).push(", ");
        query.push_bind(before.session_id.as_str().to_owned());
        query.push(")");
    }
    query.push(" order by start_time desc, session_id desc limit ");
    // One more tells whether there are more.
    query.push_bind(i64::from(asked) + 1);
    query
}
