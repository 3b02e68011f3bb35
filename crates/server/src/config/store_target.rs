//! Which store, and where.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

/// Where sessions are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreTarget {
    /// The embedded store, in this file. A relative path starts at the working directory.
    Sqlite(PathBuf),
    /// Postgres, at this URL, which may hold a password.
    Postgres(SecretString),
}

impl StoreTarget {
    /// Reads `sqlite:PATH`, `sqlite://PATH`, a path that begins with `.` or `/`, or a `postgres://` or `postgresql://` URL;
    /// `None` for anything else, an in-memory database and SQLite parameters among it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Url::parse(text)
                .is_ok()
                .then(|| Self::Postgres(text.into()));
        }
        let path = match text.strip_prefix("sqlite:") {
            Some(path) => path.strip_prefix("//").unwrap_or(path),
            // Without a scheme it must look like a path: `db.example.org/chat` is a mistake.
            None if text.starts_with(['.', '/']) => text,
            None => return None,
        };
        let is_path =
            !path.is_empty() && !path.ends_with('/') && !path.contains([':', '?', '=', '@', '\0']);
        is_path.then(|| Self::Sqlite(path.into()))
    }
}

impl TryFrom<String> for StoreTarget {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("neither a path nor a Postgres URL")
    }
}
