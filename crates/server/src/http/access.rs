//! Who may have what: the one place in which it is decided, for HTTP and for WebSockets.
//!
//! A session belongs to the user whom it was made for. To everybody else it is as if there were none: the
//! answers are the same, and so is what is done to find them, which is to read its row. Services see
//! everybody's sessions; those that may not act change nothing and talk to nobody. Without authentication
//! whoever knows a session's id may have it: so strangers, who are not at this machine, are given no lists that
//! would lead them to ids, and begin no sessions under ids that could be guessed.

use http::StatusCode;
use patter_protocol::SessionId;
use patter_session::OpenOptions;
use patter_store::SessionRecord;
use uuid::fmt::Hyphenated;
use uuid::{Uuid, Variant};

use super::{App, Problem};
use crate::auth::{Caller, Scope, Subject};

/// What the configuration says about access.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccessRules {
    /// Without authentication: whether everybody may what otherwise only those may who are at this machine.
    pub(crate) open_lists: bool,
    /// Whether clients may begin sessions under ids of their own; `None` where that is not said.
    pub(crate) client_ids: Option<bool>,
}

/// What a session is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// To be read.
    Read,
    /// To be changed, ended or deleted.
    Act,
}

/// A session that the caller may have.
///
/// # Errors
///
/// 404 if there is none, or it is not the caller's; 403 for a service that may only read, whatever it asks
/// for; 503 if the store does not answer.
pub(crate) async fn session(
    app: &App,
    caller: &Caller,
    session_id: &SessionId,
    need: Need,
) -> Result<SessionRecord, Problem> {
    if need == Need::Act {
        check_may_act(caller)?;
    }
    let found = app.sessions.store().session(session_id).await?;
    let may = |record: &SessionRecord| match need {
        Need::Read => caller.may_read(record.user_id.as_deref()),
        Need::Act => caller.may_act(record.user_id.as_deref()),
    };
    found.filter(may).ok_or_else(no_such_session)
}

/// With which options a session is opened for the caller, to be talked in. `user_id` is the user in whose
/// name a service acts: then the session must be that user's, as if the user were asking.
///
/// # Errors
///
/// As [`owner_of_new`].
pub(crate) fn open_options(
    app: &App,
    caller: &Caller,
    session_id: &SessionId,
    user_id: Option<String>,
) -> Result<OpenOptions, Problem> {
    let user_id = owner_of_new(app, caller, user_id)?;
    let only_own = match &caller.subject {
        Subject::User(_) => true,
        Subject::Service { .. } => user_id.is_some(),
        Subject::Anyone => false,
    };
    Ok(OpenOptions {
        user_id,
        only_own,
        only_existing: !may_begin(app, caller, session_id),
        ..OpenOptions::default()
    })
}

/// Whose a session is that the caller makes: `asked` where the caller may say so.
///
/// # Errors
///
/// 403 for another user, for a service that may only read, and for a user's name where strangers say it.
pub(crate) fn owner_of_new(
    app: &App,
    caller: &Caller,
    asked: Option<String>,
) -> Result<Option<String>, Problem> {
    check_may_act(caller)?;
    if asked.is_some() && is_stranger(app, caller) {
        let detail = "nobody is asked here who they are, so nobody may say `user_id`";
        return Err(forbidden(detail));
    }
    own_or_asked(caller, asked)
}

/// Whose sessions the caller is told of in lists, search and figures; `None` for everybody's.
///
/// # Errors
///
/// 403 where the caller wants to be told of somebody else, or, without authentication, lists are not open.
pub(crate) fn listed(
    app: &App,
    caller: &Caller,
    asked: Option<String>,
) -> Result<Option<String>, Problem> {
    check_lists(app, caller)?;
    own_or_asked(caller, asked)
}

/// Whether the caller may have what is about all sessions, or makes one out of a file.
///
/// # Errors
///
/// 403 without authentication where lists are not open.
pub(crate) fn check_lists(app: &App, caller: &Caller) -> Result<(), Problem> {
    if is_stranger(app, caller) {
        let detail =
            "sessions are not listed to everybody here; whoever has a session's id may ask for it";
        return Err(forbidden(detail));
    }
    Ok(())
}

/// Whether the caller may see how the server as a whole is used.
///
/// # Errors
///
/// 403 for users.
pub(crate) fn check_operates(caller: &Caller) -> Result<(), Problem> {
    match caller.subject {
        Subject::User(_) => Err(forbidden("this is for services, not for users")),
        Subject::Anyone | Subject::Service { .. } => Ok(()),
    }
}

/// Whether the caller may begin a session under this id by asking for it. Where that is not said, strangers
/// may under one that others cannot guess.
pub(crate) fn may_begin(app: &App, caller: &Caller, session_id: &SessionId) -> bool {
    let is_harmless = || !is_stranger(app, caller) || is_random(session_id);
    app.access.client_ids.unwrap_or_else(is_harmless)
}

/// Whether a file may be brought back under this id: services move whole stores.
pub(crate) fn may_bring(app: &App, caller: &Caller, session_id: &SessionId) -> bool {
    matches!(caller.subject, Subject::Service { .. }) || may_begin(app, caller, session_id)
}

/// The answer for a session that there is not, and for one that is not the caller's.
pub(crate) fn no_such_session() -> Problem {
    Problem::not_found("there is no such session")
}

/// The same where it was to be opened under its id, and there is none of that id that the caller may open.
pub(crate) fn no_session_of_yours() -> Problem {
    forbidden("there is no session of this id that you may open")
}

/// Whether nothing is known of the caller, not even that it is at this machine.
fn is_stranger(app: &App, caller: &Caller) -> bool {
    caller.subject == Subject::Anyone && !caller.origin.is_local && !app.access.open_lists
}

/// Whether it is a UUID of a version that is made by chance. That it was is for its client to see to, who would
/// be found otherwise.
fn is_random(session_id: &SessionId) -> bool {
    Uuid::try_parse(session_id.as_str()).is_ok_and(|id| {
        matches!(id.get_version_num(), 4 | 7)
            && id.get_variant() == Variant::RFC4122
            && session_id.as_str().len() == Hyphenated::LENGTH
    })
}

fn own_or_asked(caller: &Caller, asked: Option<String>) -> Result<Option<String>, Problem> {
    match (&caller.subject, asked) {
        (Subject::User(own), Some(asked)) if asked != **own => {
            Err(forbidden("`user_id` is another user"))
        }
        (Subject::User(own), _) => Ok(Some(own.to_string())),
        (Subject::Anyone | Subject::Service { .. }, asked) => Ok(asked),
    }
}

fn check_may_act(caller: &Caller) -> Result<(), Problem> {
    match &caller.subject {
        Subject::Service {
            scope: Scope::Read, ..
        } => Err(forbidden("this token may only read")),
        _ => Ok(()),
    }
}

fn forbidden(detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}
