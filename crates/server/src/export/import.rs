//! Reading an export of lines. Nothing is taken for granted: such a file may come from anybody.

use std::collections::HashSet;

use patter_protocol::{DurableEvent, EventBody, clean_json};
use patter_store::{ImportedSession, MAX_METADATA_BYTES};
use serde_json::Value;

use super::ExportedSession;
use super::json::{FORMAT, Header, VERSION};

/// The longest line, in bytes.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;
/// The largest file, in bytes.
pub(crate) const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;
/// The longest log.
const MAX_EVENTS: usize = 100_000;
/// The longest name of a user, in bytes.
const MAX_USER_BYTES: usize = 1_024;

/// Why a file is not taken, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ImportError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: ImportProblem,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportProblem {
    /// The file, a line or the log is too large, or a part of the session.
    #[error("{what} is larger than {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit, in bytes or events.
        limit: usize,
    },
    /// It is no JSON, or not of the shape that it must have.
    #[error("{0}")]
    Malformed(String),
    /// It cannot be there, after what was before.
    #[error("{0}")]
    Inconsistent(String),
}

/// The session of a file in the format `jsonl`, with the name and the user that stand in it.
///
/// # Errors
///
/// Names the first line that is not what an export writes.
pub(crate) fn read(file: &[u8]) -> Result<ImportedSession, ImportError> {
    let at = |line: usize| move |problem| ImportError { line, problem };
    if file.len() > MAX_FILE_BYTES {
        return Err(at(1)(too_large("the file", MAX_FILE_BYTES)));
    }
    let mut lines = file.split(|byte| *byte == b'\n');
    let session = header(lines.next().unwrap_or_default()).map_err(at(1))?;
    let mut log = Log::default();
    let mut number = 1;
    let mut is_over = false;
    for line in lines {
        number += 1;
        // Behind the last line break there is nothing.
        if line.is_empty() && !is_over {
            is_over = true;
            continue;
        }
        if is_over {
            return Err(at(number - 1)(malformed("the line is empty")));
        }
        log.read(line).map_err(at(number))?;
    }
    if u64::try_from(log.events.len()).ok() != Some(session.last_seq) {
        let why = format!(
            "the file ends after {} events, and the session has {}",
            log.events.len(),
            session.last_seq
        );
        return Err(at(number)(ImportProblem::Inconsistent(why)));
    }
    Ok(ImportedSession {
        session_id: session.session_id,
        user_id: session.user_id,
        start_time: session.start_time,
        metadata: session.metadata,
        events: log.events,
    })
}

fn header(line: &[u8]) -> Result<ExportedSession, ImportProblem> {
    let value = json(line)?;
    let (format, version) = (value.get("format"), value.get("version"));
    if format.and_then(Value::as_str) != Some(FORMAT) {
        return Err(malformed("the file is no export of a session in lines"));
    }
    if version.and_then(Value::as_u64) != Some(VERSION.into()) {
        let why = format!("`version` is not {VERSION}, which is the one that is known here");
        return Err(ImportProblem::Malformed(why));
    }
    let header: Header =
        serde_json::from_value(value).map_err(|error| malformed(&error.to_string()))?;
    let session = header.session;
    if session
        .user_id
        .as_ref()
        .is_some_and(|user| user.len() > MAX_USER_BYTES)
    {
        return Err(too_large("`user_id`", MAX_USER_BYTES));
    }
    if Value::Object(session.metadata.clone()).to_string().len() > MAX_METADATA_BYTES {
        return Err(too_large("`metadata`", MAX_METADATA_BYTES));
    }
    Ok(session)
}

/// The log as far as it is read.
#[derive(Default)]
struct Log {
    events: Vec<DurableEvent>,
    /// What a log has once, by kind and name.
    names: HashSet<(&'static str, String)>,
}

impl Log {
    fn read(&mut self, line: &[u8]) -> Result<(), ImportProblem> {
        if self.events.len() >= MAX_EVENTS {
            return Err(too_large("the log", MAX_EVENTS));
        }
        let value = json(line)?;
        let fields: Vec<String> = match &value {
            Value::Object(fields) => fields.keys().cloned().collect(),
            _ => return Err(malformed("the line is no JSON object")),
        };
        let event: DurableEvent =
            serde_json::from_value(value).map_err(|error| malformed(&error.to_string()))?;
        let known = serde_json::to_value(&event).unwrap_or_default();
        if let Some(unknown) = fields.iter().find(|&field| known.get(field).is_none()) {
            return Err(ImportProblem::Malformed(format!(
                "unknown field `{unknown}`"
            )));
        }
        let place = self.events.len() + 1;
        if usize::try_from(event.seq) != Ok(place) {
            let why = format!("`seq` is {} where {place} comes next", event.seq);
            return Err(ImportProblem::Inconsistent(why));
        }
        self.is_new("event_id", event.event_id.to_string())?;
        match &event.body {
            EventBody::UserMessage(message) => self.is_new("id", message.id.as_str().to_owned())?,
            EventBody::AiResponse(answer) => {
                self.is_new("response_id", answer.response_id.to_string())?;
            }
            EventBody::ToolResult(result) => self.is_new("call_id", result.call_id.to_string())?,
            _ => {}
        }
        self.events.push(event);
        Ok(())
    }

    fn is_new(&mut self, kind: &'static str, name: String) -> Result<(), ImportProblem> {
        if self.names.insert((kind, name)) {
            return Ok(());
        }
        let why = format!("`{kind}` was in an earlier line");
        Err(ImportProblem::Inconsistent(why))
    }
}

/// A line as JSON that every store can keep.
fn json(line: &[u8]) -> Result<Value, ImportProblem> {
    if line.len() > MAX_LINE_BYTES {
        return Err(too_large("the line", MAX_LINE_BYTES));
    }
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| ImportProblem::Malformed(format!("no JSON: {error}")))?;
    // As rare as it is, a text of which it is told is not looked through.
    if line.windows(6).any(|part| part == br"\u0000") && clean_json(value.clone()) != value {
        return Err(malformed("U+0000 cannot be stored"));
    }
    Ok(value)
}

fn malformed(why: &str) -> ImportProblem {
    ImportProblem::Malformed(why.to_owned())
}

fn too_large(what: &'static str, limit: usize) -> ImportProblem {
    ImportProblem::TooLarge { what, limit }
}
