//! Taking over a session from elsewhere, on PostgreSQL: one transaction, and in it a statement for
//! each few hundred events.

use std::time::Duration;

use patter_protocol::LogEpoch;

use super::record;
use crate::archive::import::{EncodedImport, chunks};
use crate::deadline::within;
use crate::encode::{EncodedEvent, first_fence, session_columns};
use crate::error::StoreError;
use crate::postgres::connections::{Connections, Statement};
use crate::record::SessionRecord;

/// See [`SessionArchive::import`](crate::SessionArchive::import).
pub(super) async fn import(
    connections: &Connections,
    session: &EncodedImport,
    deadline: Duration,
) -> Result<SessionRecord, StoreError> {
    // By themselves and in order: nobody who names one of them too waits for all of the import.
    within(deadline, connections.fetch(insert_sources(session))).await?;
    let mut transaction = within(deadline, connections.begin()).await?;
    let rows = within(deadline, transaction.fetch(insert_session(session))).await?;
    let Some(row) = rows.first() else {
        within(deadline, transaction.commit()).await?;
        return Err(StoreError::Exists {
            session_id: session.session_id.clone(),
        });
    };
    for (chunk, after) in chunks(&session.events) {
        let query = insert_events(session, after, chunk);
        within(deadline, transaction.fetch(query)).await?;
    }
    within(deadline, transaction.commit()).await?;
    record(row)
}

/// Who gave the answers, for the figures.
fn insert_sources(session: &EncodedImport) -> Statement<'_> {
    let answers = session.events.iter();
    let answers = answers.filter(|event| event.event_type == "ai_response");
    sqlx::query(
        "insert into patter.answer_sources (provider, model, route)
         select distinct left(a ->> 'provider', 200), left(a ->> 'model', 200),
             left(coalesce(a ->> 'route', ''), 200)
         from (select m::jsonb as a from unnest($1::text[]) as m) as answers
         order by 1, 2, 3
         on conflict do nothing",
    )
    .bind(
        answers
            .map(|event| event.metadata.as_str())
            .collect::<Vec<_>>(),
    )
}

fn insert_session(session: &EncodedImport) -> Statement<'_> {
    sqlx::query(concat!(
        "insert into patter.sessions
             (session_id, user_id, start_time, end_time, is_active, summary, metadata, last_seq,
              log_epoch, fence)
         values ($1, $2, $3, $4, false, $5, $6::text::jsonb, $7, $8, $9)
         on conflict (session_id) do nothing
         returning ",
        session_columns!()
    ))
    .bind(session.session_id.as_str())
    .bind(session.user_id.as_deref())
    .bind(session.start_time)
    .bind(session.end_time)
    .bind(session.summary.as_deref())
    .bind(session.metadata.as_str())
    .bind(session.last_seq)
    .bind(LogEpoch::generate().as_uuid())
    .bind(first_fence())
}

fn insert_events<'q>(
    session: &'q EncodedImport,
    after: i64,
    events: &'q [EncodedEvent],
) -> Statement<'q> {
    fn column<'q, T>(events: &'q [EncodedEvent], of: impl Fn(&'q EncodedEvent) -> T) -> Vec<T> {
        events.iter().map(of).collect()
    }
    sqlx::query(
        "insert into patter.session_events
             (session_id, seq, event_id, event_type, content, metadata, created_at)
         select $1, $2 + number, event_id, event_type, content, metadata::jsonb, created_at
         from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
             with ordinality as e (event_id, event_type, content, metadata, created_at, number)",
    )
    .bind(session.session_id.as_str())
    .bind(after)
    .bind(column(events, |event| event.event_id))
    .bind(column(events, |event| event.event_type))
    .bind(column(events, |event| event.content.as_str()))
    .bind(column(events, |event| event.metadata.as_str()))
    .bind(column(events, |event| event.at))
}
