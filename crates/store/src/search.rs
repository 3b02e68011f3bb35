//! What is searched for and what is found.

mod cursor;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod excerpt;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod page;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod text;

use patter_protocol::{SessionId, Timestamp};

pub use cursor::SearchCursor;

/// The longest text that should be searched for, in characters. A caller refuses a longer one; the
/// stores leave what is behind it out of account.
pub const SEARCH_TEXT_CHARS: usize = 256;
/// Of so many events that match, the last ones to be stored, the best are found. It bounds the time
/// that a word takes which stands everywhere.
pub const SEARCH_CANDIDATES: u32 = 1000;
/// The most hits on a page.
pub const SEARCH_HITS: u32 = 100;

/// What to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words that must all be there, in any order; `"words in a row"`; `-not`; `or` between
    /// alternatives, which binds least. Case does not matter. Nothing else has a meaning.
    pub text: String,
    /// Only in sessions of this user; in all if `None`.
    pub user_id: Option<String>,
    /// How many hits at the most: 1 to [`SEARCH_HITS`], a number outside is taken for the nearest.
    pub limit: u32,
    /// Where the page before ended, for the same text and user.
    pub after: Option<SearchCursor>,
}

/// Some of what was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchPage {
    /// The hits, best first.
    pub hits: Vec<SearchHit>,
    /// Where to go on; `None` if that was all.
    pub next: Option<SearchCursor>,
}

/// An event that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchHit {
    /// The session.
    pub session_id: SessionId,
    /// The event's place in its log.
    pub seq: u64,
    /// `user_message`, `ai_response`, `session_ended` (with its summary) or `session_summary`.
    pub event_type: String,
    /// When it happened.
    pub at: Timestamp,
    /// The text at `title` in the session's metadata.
    pub title: Option<String>,
    /// How well it matches: more is better. For comparing hits of one search in one store.
    pub score: f64,
    /// A piece of the event's text, around the first words that match.
    pub excerpt: Vec<ExcerptPart>,
}

/// A piece of an excerpt. Joined, the pieces are text as it was stored, plain and not escaped, with
/// `…` where it is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptPart {
    /// The text.
    pub text: String,
    /// Whether it is a word that was searched for. In a language with stems (Postgres alone) a word
    /// that begins with the stem counts, which can be one too many.
    pub is_match: bool,
}
