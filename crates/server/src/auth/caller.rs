//! Who asks, and whose sessions that opens.

use std::net::IpAddr;
use std::sync::Arc;

use patter_protocol::Timestamp;

/// Who asks, from where, and until when that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Who.
    pub(crate) subject: Subject,
    /// When the credential was made, where it says so.
    pub(crate) issued_at: Option<Timestamp>,
    /// When the credential runs out; `None` where it does not.
    pub(crate) expires_at: Option<Timestamp>,
    /// From where.
    pub(crate) origin: Origin,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The address, as far as it is known.
    pub(crate) address: IpAddr,
    /// Whether it was made at this machine, and came through no proxy: what comes through one, named or not, comes
    /// from anywhere, whatever the proxy says.
    pub(crate) is_local: bool,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Authentication is off: whoever reaches the server.
    Anyone,
    /// A user, by the id that its sessions are kept under: 1 to 256 characters.
    User(Arc<str>),
    /// A program with a token of its own, by the token's name.
    Service {
        /// What the token is called in the configuration.
        name: Arc<str>,
        /// What it may do.
        scope: Scope,
    },
}

/// What a service may do with sessions that are not its own, which all are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// Read those of everybody.
    Read,
    /// Also begin, change, end and delete them, in the name of any user.
    Act,
}

impl Caller {
    /// Somebody of whom nothing is known but where they are.
    pub(crate) fn anyone(origin: Origin) -> Self {
        Self {
            subject: Subject::Anyone,
            issued_at: None,
            expires_at: None,
            origin,
        }
    }

    /// The user that new sessions belong to; `None` where there is none.
    pub(crate) fn user_id(&self) -> Option<&str> {
        match &self.subject {
            Subject::User(user_id) => Some(user_id),
            Subject::Anyone | Subject::Service { .. } => None,
        }
    }

    /// Whether a session of this owner may be read. One without an owner is from a time without
    /// authentication: it belongs to no user.
    pub(crate) fn may_read(&self, owner: Option<&str>) -> bool {
        match &self.subject {
            Subject::Anyone | Subject::Service { .. } => true,
            Subject::User(user_id) => owner == Some(user_id),
        }
    }

    /// Whether it may be talked in, changed, ended and deleted.
    pub(crate) fn may_act(&self, owner: Option<&str>) -> bool {
        match &self.subject {
            Subject::Service { scope, .. } => *scope == Scope::Act,
            Subject::Anyone | Subject::User(_) => self.may_read(owner),
        }
    }
}
