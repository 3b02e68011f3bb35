//! What is told, as text for a terminal or as JSON.

use std::fmt;

use patter_protocol::{SessionId, Timestamp};
use patter_store::SessionRecord;
use serde::Serialize;
use serde_json::Value;

use super::super::table::Table;
use crate::export::ExportedSession;

/// The longest title or name in a table, in characters.
const MAX_CELL: usize = 40;

#[derive(Debug, Serialize)]
pub(super) struct Sessions {
    sessions: Vec<ExportedSession>,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Shown(ExportedSession);

/// One session that something was done to.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    session_id: SessionId,
    #[serde(skip)]
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<u64>,
}

/// Sessions that were deleted, or would be.
#[derive(Debug, Serialize)]
pub(super) struct Count {
    sessions: usize,
    deleted: bool,
}

impl From<Vec<SessionRecord>> for Sessions {
    fn from(records: Vec<SessionRecord>) -> Self {
        Self {
            sessions: records.into_iter().map(ExportedSession::from).collect(),
        }
    }
}

impl From<SessionRecord> for Shown {
    fn from(record: SessionRecord) -> Self {
        Self(record.into())
    }
}

impl Done {
    pub(super) fn deleted(session_id: &SessionId) -> Self {
        Self {
            session_id: session_id.clone(),
            what: "deleted",
            events: None,
        }
    }

    pub(super) fn imported(record: &SessionRecord) -> Self {
        Self {
            session_id: record.session_id.clone(),
            what: "imported",
            events: Some(record.last_seq),
        }
    }
}

impl Count {
    pub(super) fn new(sessions: usize, deleted: bool) -> Self {
        Self { sessions, deleted }
    }
}

impl fmt::Display for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sessions.is_empty() {
            return write!(f, "there are none");
        }
        let mut table = Table::default();
        table.row(["SESSION", "STARTED", "ENDED", "EVENTS", "USER", "TITLE"]);
        for session in &self.sessions {
            table.row([
                session.session_id.to_string(),
                session.start_time.to_string(),
                ended(session.end_time),
                session.last_seq.to_string(),
                cell(session.user_id.as_deref().unwrap_or("-")),
                cell(title(session).unwrap_or("-")),
            ]);
        }
        write!(f, "{table}")
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let session = &self.0;
        let mut table = Table::default();
        table.row(["session".to_owned(), session.session_id.to_string()]);
        table.row(["title", &cell(title(session).unwrap_or("-"))]);
        table.row(["user", &cell(session.user_id.as_deref().unwrap_or("-"))]);
        table.row(["started".to_owned(), session.start_time.to_string()]);
        table.row(["ended".to_owned(), ended(session.end_time)]);
        table.row(["events".to_owned(), session.last_seq.to_string()]);
        for (name, value) in session
            .metrics
            .iter()
            .filter_map(Value::as_object)
            .flatten()
        {
            table.row([name.clone(), value.to_string()]);
        }
        write!(f, "{table}")?;
        match &session.summary {
            Some(summary) => write!(f, "\n{}", printable(summary)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.session_id)?;
        match self.events {
            Some(events) => write!(f, " with {events} events"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sessions, deleted } = self;
        if *deleted {
            write!(f, "deleted {sessions} sessions")
        } else {
            write!(f, "would delete {sessions} sessions; --yes does it")
        }
    }
}

fn ended(end_time: Option<Timestamp>) -> String {
    end_time.map_or_else(|| "-".to_owned(), |time| time.to_string())
}

fn title(session: &ExportedSession) -> Option<&str> {
    session.metadata.get("title").and_then(Value::as_str)
}

fn cell(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    let mut cell: String = text.chars().take(MAX_CELL).collect();
    if text.chars().count() > MAX_CELL {
        cell.push('…');
    }
    cell
}

/// Without what a terminal would obey.
fn printable(text: &str) -> String {
    text.replace(
        |character: char| character.is_control() && character != '\n',
        " ",
    )
}
