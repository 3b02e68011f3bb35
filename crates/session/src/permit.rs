//! Whose sessions whoever asks may have.

use std::sync::Arc;

/// Whom a session must belong to, so that whoever asks may have it. It goes with every wish to the session's
/// task, which alone knows for certain whose the session is: an id may have been given to another one since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Permit {
    /// It may be anybody's.
    #[default]
    Anybodys,
    /// It must be this user's, or have none.
    Of(Option<Arc<str>>),
}

impl Permit {
    /// Whether a session of this owner may be had.
    pub(crate) fn allows(&self, owner: Option<&str>) -> bool {
        match self {
            Self::Anybodys => true,
            Self::Of(user_id) => user_id.as_deref() == owner,
        }
    }
}
