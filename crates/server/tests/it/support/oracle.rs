//! A small model of who owns what, and what must come of each act by it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use proptest::prelude::*;
use uuid::Uuid;

use crate::support::callers::Who;
use crate::support::identity::{ALICE, BOB};

/// Something that somebody does.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) who: Who,
    pub(crate) what: What,
    /// The session that it is done to, where it is done to one.
    pub(crate) target: Target,
    /// In whose name, or about whom, where that can be said.
    pub(crate) user: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Show,
    Both,
    Events,
    Export,
    Rename,
    End,
    Delete,
    Say,
    Socket(Frame),
    Ticket,
    Usage,
    UsageOfSession,
    Mint,
    Import,
    List,
    Search,
    Analytics,
}

/// What is sent on a WebSocket that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    Say,
    Cancel,
    Regenerate,
    Approval,
    End,
    /// A token of somebody.
    Refresh(Who),
    /// Nothing; it was opened to read what is behind this `seq`.
    After(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// One of those that there are or were.
    Known(usize),
    Unknown,
    Malformed,
}

/// A session that there is, or was.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) owner: Option<&'static str>,
    /// A word of each message; no other message has it.
    pub(crate) said: Vec<String>,
    pub(crate) title: Option<String>,
    pub(crate) is_deleted: bool,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) sessions: Vec<Known>,
    /// Words that were deleted: nobody may see them again.
    pub(crate) gone: Vec<String>,
    pub(crate) client_ids: bool,
}

impl Known {
    /// All that only who may read it may see.
    pub(crate) fn words(&self) -> impl Iterator<Item = &String> {
        self.said.iter().chain(&self.title)
    }

    pub(crate) fn is_readable_by(&self, who: Who) -> bool {
        match who {
            Who::Nobody => false,
            Who::Alice | Who::Bob => self.owner == who.user(),
            Who::Reader | Who::Actor => true,
        }
    }
}

impl Model {
    pub(crate) fn id_of(&self, target: Target) -> String {
        match target {
            Target::Known(place) if !self.sessions.is_empty() => {
                self.sessions[place % self.sessions.len()].id.clone()
            }
            Target::Known(_) | Target::Unknown => format!("unknown-{}", Uuid::new_v4()),
            Target::Malformed => "-x".to_owned(),
        }
    }

    /// The session of this id, if there is one now.
    pub(crate) fn session(&self, id: &str) -> Option<&Known> {
        let mut there = self.sessions.iter().filter(|it| !it.is_deleted);
        there.find(|it| it.id == id)
    }

    /// Those that are there now.
    pub(crate) fn there(&self) -> impl Iterator<Item = &Known> {
        self.sessions.iter().filter(|it| !it.is_deleted)
    }

    /// The session of this id, which is this user's if it has to be begun.
    pub(crate) fn begun(&mut self, id: &str, owner: Option<&'static str>) -> &mut Known {
        if self.session(id).is_none() {
            self.sessions.retain(|it| it.id != id);
            self.sessions.push(Known {
                id: id.to_owned(),
                owner,
                said: Vec::new(),
                title: None,
                is_deleted: false,
            });
        }
        let mut sessions = self.sessions.iter_mut();
        sessions
            .find(|it| it.id == id)
            .expect("it was just put there")
    }

    pub(crate) fn deleted(&mut self, id: &str) {
        let session = self.begun(id, None);
        session.is_deleted = true;
        let words = std::mem::take(&mut session.said);
        let title = session.title.take();
        self.gone.extend(words.into_iter().chain(title));
    }

    /// The status that must come of it.
    pub(crate) fn expected(&self, act: &Act, id: &str) -> u16 {
        let is_malformed = act.target == Target::Malformed;
        let is_reader = act.who == Who::Reader;
        if act.who == Who::Nobody {
            // Which session a ticket must be for is read before who asks.
            let is_socket = matches!(act.what, What::Socket(_));
            return if is_socket && is_malformed { 400 } else { 401 };
        }
        match act.what {
            What::List | What::Search | What::Analytics | What::Usage => {
                self.granted(act.may_name(), 200)
            }
            What::UsageOfSession if !act.may_name() => 403,
            What::Mint => self.granted(!is_reader && act.may_name(), 201),
            _ if is_malformed => 400,
            What::Ticket => {
                let may_name = act.may_name() && !(is_reader && act.user.is_some());
                self.granted(may_name, 201)
            }
            What::Import => self.expected_of_import(act, id),
            What::Say => self.expected_of_talk(act, id, 200, 404),
            What::Socket(_) => self.expected_of_talk(act, id, 101, 403),
            What::Rename | What::End | What::Delete if is_reader => 403,
            _ if !self.is_readable(act.who, id) => 404,
            What::Delete => 204,
            _ => 200,
        }
    }

    fn granted(&self, is_granted: bool, status: u16) -> u16 {
        if is_granted { status } else { 403 }
    }

    fn is_readable(&self, who: Who, id: &str) -> bool {
        self.session(id).is_some_and(|it| it.is_readable_by(who))
    }

    fn expected_of_talk(&self, act: &Act, id: &str, granted: u16, refused: u16) -> u16 {
        if act.who == Who::Reader || !act.may_name() {
            return 403;
        }
        let is_theirs = match self.session(id) {
            Some(session) => act.owner().is_none_or(|it| session.owner == Some(it)),
            None => self.client_ids,
        };
        if is_theirs { granted } else { refused }
    }

    fn expected_of_import(&self, act: &Act, id: &str) -> u16 {
        if act.who == Who::Reader || !act.may_name() {
            return 403;
        }
        // Where users choose no ids, what they bring gets a new one.
        let is_free = self.session(id).is_none() || (!self.client_ids && act.who.user().is_some());
        match (is_free, self.is_readable(act.who, id)) {
            (true, _) => 201,
            (false, true) => 409,
            (false, false) => 403,
        }
    }
}

impl Act {
    /// Whether the caller may speak of this user.
    fn may_name(&self) -> bool {
        self.who.user().is_none() || self.user.is_none() || self.user == self.who.user()
    }

    /// Whose the session is that comes of it.
    pub(crate) fn owner(&self) -> Option<&'static str> {
        self.who.user().or(self.user)
    }
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        1 => Just(Who::Nobody),
        5 => Just(Who::Alice),
        5 => Just(Who::Bob),
        2 => Just(Who::Reader),
        3 => Just(Who::Actor),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        3 => Just(Frame::Say),
        1 => Just(Frame::Cancel),
        1 => Just(Frame::Regenerate),
        1 => Just(Frame::Approval),
        1 => Just(Frame::End),
        2 => who().prop_map(Frame::Refresh),
        1 => prop::sample::select(vec![0, 1, 3, 1_000]).prop_map(Frame::After),
    ]
}

fn what() -> impl Strategy<Value = What> {
    let http = prop::sample::select(vec![
        What::Show,
        What::Both,
        What::Events,
        What::Export,
        What::Rename,
        What::End,
        What::Delete,
        What::Say,
        What::Ticket,
        What::Usage,
        What::UsageOfSession,
        What::Mint,
        What::Import,
        What::List,
        What::Search,
        What::Analytics,
    ]);
    prop_oneof![3 => http, 1 => frame().prop_map(What::Socket)]
}

/// Anything that anybody may try.
pub(crate) fn act() -> impl Strategy<Value = Act> {
    let target = prop_oneof![
        10 => any::<usize>().prop_map(Target::Known),
        2 => Just(Target::Unknown),
        1 => Just(Target::Malformed),
    ];
    let user = prop::sample::select(vec![None, None, None, Some(ALICE), Some(BOB)]);
    (who(), what(), target, user).prop_map(|(who, what, target, user)| Act {
        who,
        what,
        target,
        user,
    })
}
