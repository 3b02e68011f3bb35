//! `patter sessions`: what is stored, from the command line. It works on the configured store, also beside a
//! server that runs on it.

mod file;
mod report;

use std::io::Write;
use std::sync::Arc;

use futures_util::{StreamExt, pin_mut};
use patter_protocol::{SessionId, Timestamp};
use patter_store::{ListQuery, SessionPosition, SessionRecord, SessionStore, StoreError};
use serde::Serialize;

use crate::cli::{SessionsAction, SessionsArgs};
use crate::config::Config;
use crate::error::ServerError;
use crate::export::{self, ExportFormat};
use crate::retention::days_ago;
use crate::wiring::{self, Store};
use report::{Count, Done, Sessions, Shown};

/// So many sessions are asked for, or deleted, at a time.
const PAGE: u32 = 200;

/// Does what is asked for, and tells of it on `out`.
///
/// # Errors
///
/// Where the store cannot be opened or does not do it, the file cannot be read or is no export, or
/// `out` takes nothing.
pub async fn sessions(
    config: &Config,
    arguments: &SessionsArgs,
    out: &mut (impl Write + Send),
) -> Result<(), ServerError> {
    let store = wiring::store(config).await?;
    let done = act(&store, arguments, out).await;
    store.close().await;
    done
}

async fn act(
    store: &Arc<dyn Store>,
    arguments: &SessionsArgs,
    out: &mut (impl Write + Send),
) -> Result<(), ServerError> {
    let json = arguments.json;
    match &arguments.action {
        SessionsAction::List(wanted) => {
            let query = ListQuery {
                user_id: wanted.user.clone(),
                active: wanted.active(),
                ..ListQuery::default()
            };
            let listed = list(&**store, query, wanted.limit).await?;
            say(out, &Sessions::from(listed), json)
        }
        SessionsAction::Show { id } => {
            let record = find(&**store, id).await?;
            say(out, &Shown::from(record), json)
        }
        SessionsAction::Export { id, format } => write(store, id, *format, out).await,
        SessionsAction::Delete { id } => {
            if store.delete(id).await.map_err(ServerError::Sessions)? {
                say(out, &Done::deleted(id), json)
            } else {
                Err(no_such(id))
            }
        }
        SessionsAction::Prune { older_than, yes } => {
            let count = prune(&**store, *older_than, *yes).await?;
            say(out, &count, json)
        }
        SessionsAction::Import { path, id } => {
            let mut session = file::read(path)?;
            if let Some(id) = id {
                session.session_id = id.clone();
            }
            let imported = store.import(session).await.map_err(ServerError::Sessions)?;
            say(out, &Done::imported(&imported), json)
        }
    }
}

/// Page by page, so that no call takes long.
async fn list(
    store: &dyn Store,
    mut query: ListQuery,
    limit: u32,
) -> Result<Vec<SessionRecord>, ServerError> {
    let mut listed = Vec::new();
    let mut left = limit;
    while left > 0 {
        query.limit = left.min(PAGE);
        let page = store.list(&query).await.map_err(ServerError::Sessions)?;
        query.before = page.sessions.last().map(SessionPosition::from);
        left = left.saturating_sub(u32::try_from(page.sessions.len()).unwrap_or(u32::MAX));
        listed.extend(page.sessions);
        if !page.has_more || query.before.is_none() {
            break;
        }
    }
    Ok(listed)
}

async fn find(store: &dyn Store, id: &SessionId) -> Result<SessionRecord, ServerError> {
    let found = store.session(id).await.map_err(ServerError::Sessions)?;
    found.ok_or_else(|| no_such(id))
}

async fn write(
    store: &Arc<dyn Store>,
    id: &SessionId,
    format: ExportFormat,
    out: &mut (impl Write + Send),
) -> Result<(), ServerError> {
    let record = find(&**store, id).await?;
    let log: Arc<dyn SessionStore> = store.clone();
    let pieces = export::export(log, record, format);
    pin_mut!(pieces);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(ServerError::Sessions)?;
        out.write_all(&piece).map_err(ServerError::Output)?;
    }
    out.flush().map_err(ServerError::Output)
}

/// Deletes what is too old, or counts it where nobody has said yes.
async fn prune(store: &dyn Store, days: u32, yes: bool) -> Result<Count, ServerError> {
    let Some(older_than) = days_ago(days) else {
        return Ok(Count::new(0, yes));
    };
    let mut sessions = 0;
    if yes {
        loop {
            let pruned = store.prune(older_than, PAGE).await;
            let pruned = pruned.map_err(ServerError::Sessions)?;
            if pruned.is_empty() {
                return Ok(Count::new(sessions, yes));
            }
            sessions += pruned.len();
        }
    }
    // What ended before then began before.
    let mut query = ListQuery {
        to: Some(older_than),
        limit: PAGE,
        ..ListQuery::default()
    };
    loop {
        let page = store.list(&query).await.map_err(ServerError::Sessions)?;
        query.before = page.sessions.last().map(SessionPosition::from);
        let due = page
            .sessions
            .iter()
            .filter(|record| is_due(record, older_than));
        sessions += due.count();
        if !page.has_more || query.before.is_none() {
            return Ok(Count::new(sessions, yes));
        }
    }
}

fn is_due(record: &SessionRecord, older_than: Timestamp) -> bool {
    match record.end_time {
        Some(end_time) => end_time < older_than,
        None => record.last_seq == 0 && record.created_at < older_than,
    }
}

fn no_such(id: &SessionId) -> ServerError {
    ServerError::Sessions(StoreError::NoSuchSession {
        session_id: id.clone(),
    })
}

fn say(
    out: &mut impl Write,
    report: &(impl std::fmt::Display + Serialize),
    json: bool,
) -> Result<(), ServerError> {
    let written = if json {
        let text = serde_json::to_string_pretty(report).map_err(std::io::Error::from);
        text.and_then(|text| writeln!(out, "{text}"))
    } else {
        writeln!(out, "{}", report.to_string().trim_end())
    };
    written.map_err(ServerError::Output)
}
