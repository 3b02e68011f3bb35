//! A session as a file: `markdown` for people, `json` and `jsonl` for programs. [`read`] takes what
//! `jsonl` gave.
//!
//! What comes out is read page by page: a long session takes the memory of some pages.

mod import;
mod json;
mod markdown;
mod session;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use patter_protocol::DurableEvent;
use patter_store::{EventQuery, SessionRecord, SessionStore, StoreError};

pub use import::{ImportError, ImportProblem};
pub(crate) use import::{MAX_FILE_BYTES, read};
pub(crate) use session::ExportedSession;

/// So many events are read from the store at a time.
const PAGE: u32 = 25;

/// How a session is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// For people: who said what, and when.
    Markdown,
    /// `{"session": ..., "events": [...]}`.
    Json,
    /// A line about the session, then a line for each event. This can be imported.
    Jsonl,
}

impl ExportFormat {
    /// What stands in `content-type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Json => "application/json",
            Self::Jsonl => "application/jsonl; charset=utf-8",
        }
    }

    /// How the name of a file ends.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
        }
    }

    fn head(self, session: &ExportedSession) -> Result<String, StoreError> {
        match self {
            Self::Markdown => Ok(markdown::head(session)),
            Self::Json => json::head(session),
            Self::Jsonl => json::header_line(session),
        }
    }

    fn event(self, event: &DurableEvent) -> Result<String, StoreError> {
        match self {
            Self::Markdown => Ok(markdown::event(event)),
            Self::Json => json::element(event),
            Self::Jsonl => json::line(event),
        }
    }

    fn tail(self) -> &'static str {
        match self {
            Self::Markdown | Self::Jsonl => "",
            Self::Json => "]}\n",
        }
    }
}

/// How far an export is.
enum Progress {
    Head,
    After(u64),
    Done,
}

/// Writes a session as it stood when `record` was read: what was added to its log since is not in it.
/// Ends with the error where the store cannot be read, or the session was deleted meanwhile.
pub(crate) fn export(
    store: Arc<dyn SessionStore>,
    record: SessionRecord,
    format: ExportFormat,
) -> impl Stream<Item = Result<Bytes, StoreError>> + Send + 'static {
    let session = ExportedSession::from(record);
    let state = (store, session, Progress::Head);
    stream::try_unfold(state, move |(store, session, progress)| async move {
        let (piece, progress) = match progress {
            Progress::Head => (format.head(&session)?, Progress::After(0)),
            Progress::After(after) if after < session.last_seq => {
                page(&*store, &session, after, format).await?
            }
            Progress::After(_) => (format.tail().to_owned(), Progress::Done),
            Progress::Done => return Ok(None),
        };
        Ok(Some((Bytes::from(piece), (store, session, progress))))
    })
}

/// The events behind `after`.
async fn page(
    store: &dyn SessionStore,
    session: &ExportedSession,
    after: u64,
    format: ExportFormat,
) -> Result<(String, Progress), StoreError> {
    let query = EventQuery {
        after,
        limit: PAGE,
        types: Vec::new(),
    };
    let stored = store.events(&session.session_id, query).await?;
    let mut piece = String::new();
    let mut last = after;
    for stored in stored
        .iter()
        .filter(|stored| stored.event.seq <= session.last_seq)
    {
        piece.push_str(&format.event(&stored.event)?);
        last = stored.event.seq;
    }
    if last == after {
        // It was deleted since.
        return Err(StoreError::NoSuchSession {
            session_id: session.session_id.clone(),
        });
    }
    Ok((piece, Progress::After(last)))
}

#[cfg(test)]
mod tests;
