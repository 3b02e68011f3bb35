//! Whether the server's answers are those to what was asked.
//!
//! Behind a pooler in transaction mode that nobody told us of, one statement can get the answer to
//! another, without an error. Several connections at once, each with statements that nobody else
//! asks, show it at once: there, the first few go wrong. A pooler that sees to it that statements are
//! not mixed up (PgBouncer from 1.21 on) still has others use what a connection was set to: that shows
//! as soon as each is set to something else.

use futures_util::future::{join_all, try_join_all};
use sqlx::{AssertSqlSafe, Row};
use tracing::warn;

use super::connections::Connections;
use super::error::from_sqlx;
use crate::error::StoreError;

/// So many at once; in a smaller pool they wait for each other.
const ASKING: i64 = 8;
/// So many different statements each.
const STATEMENTS: i64 = 50;
/// So many connections are held at the same time to compare their settings: two tell all, and a server
/// that has few to give has those.
const COMPARED: u32 = 2;
/// So often each of them is asked what it was set to.
const LOOKS: usize = 20;

/// Asks, and compares the answers.
///
/// # Errors
///
/// [`StoreError::Unusable`], with what to do about it, if one answer was not the right one.
pub(super) async fn run(connections: &Connections) -> Result<(), StoreError> {
    if connections.keep_settings() {
        settings_stay(connections).await?;
        if connections.limit() < COMPARED {
            warn!(
                "a single connection does not show whether a pooler in transaction mode lends it to others"
            );
        }
    }
    let results = join_all((0..ASKING).map(|asking| ask(connections, asking))).await;
    // What says most: an answer that cannot be trusted may have let others fail otherwise.
    let mut failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    failures.sort_by_key(StoreError::is_retryable);
    failures.into_iter().next().map_or(Ok(()), Err)
}

async fn ask(connections: &Connections, asking: i64) -> Result<(), StoreError> {
    for number in 0..STATEMENTS {
        let expected = asking * STATEMENTS + number;
        let statement = sqlx::query(AssertSqlSafe(format!("select $1::bigint + {expected}")));
        // The same argument for all: it is by the statement that the answers differ.
        let answer = connections.fetch_one(statement.bind(0_i64)).await;
        let answer = answer.and_then(|row| row.try_get::<i64, _>(0).map_err(from_sqlx));
        match answer {
            Ok(answer) if answer == expected => {}
            Ok(_) => return Err(mixed_up("an answer to another statement")),
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            // There is nothing to be refused in such a statement.
            Err(error) => return Err(mixed_up(&error.to_string())),
        }
    }
    Ok(())
}

/// Sets each of some connections to something else, and looks whether it stays that.
async fn settings_stay(connections: &Connections) -> Result<(), StoreError> {
    let compared = connections.limit().min(COMPARED);
    let mut lent = try_join_all((0..compared).map(|_| connections.lend())).await?;
    for (number, connection) in lent.iter_mut().enumerate() {
        let set = format!("select set_config('patter.connection', '{number}', false)");
        let set = sqlx::raw_sql(AssertSqlSafe(set));
        connection.fetch(set).await.map_err(from_sqlx)?;
    }
    let looking = lent.iter_mut().enumerate();
    let looking = looking.map(async |(number, connection)| {
        for _ in 0..LOOKS {
            // Text in one message, which no pooler mixes up.
            let look = sqlx::raw_sql("select current_setting('patter.connection', true)");
            let rows = connection.fetch(look).await.map_err(from_sqlx)?;
            let found: Result<Vec<Option<String>>, _> =
                rows.iter().map(|row| row.try_get(0)).collect();
            if found.map_err(from_sqlx)? != [Some(number.to_string())] {
                return Err(mixed_up("a setting of another connection"));
            }
        }
        Ok(())
    });
    try_join_all(looking).await.map(drop)
}

fn mixed_up(what: &str) -> StoreError {
    StoreError::Unusable(format!(
        "what the database answers cannot be trusted ({what}), as behind a pooler in transaction \
         mode: use a session pooler (port 5432) or the server itself, or say in the URL what it \
         is, `?pgbouncer=true`"
    ))
}
