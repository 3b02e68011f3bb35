//! In which form a message comes, and in which one its answer is wanted.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, StatusCode};
use patter_protocol::{LogEpoch, MessageId, UserInput};
use patter_session::After;
use uuid::Uuid;

use crate::http::{Problem, Query};

/// The `seq` of the last event that a client of an event stream has, as browsers send it.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Names the message
/// ([draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What may stand in the query of a message.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document; `after` reads it")]
pub(crate) struct SayQuery {
    /// The log that `Last-Event-ID` is of, as `session_ready` named it.
    #[param(format = "uuid")]
    epoch: Option<String>,
    /// The user in whose name a service speaks: a new session is that user's, and no other one's is taken.
    #[param(min_length = 1, max_length = 256)]
    user_id: Option<String>,
}

/// The headers of a message.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document; the functions below read them")]
pub(crate) struct SayHeaders {
    /// Names the message, as `id` in the body does: 1 to 64 characters, quoted or not.
    #[param(rename = "Idempotency-Key", max_length = 66)]
    idempotency_key: Option<String>,
    /// Of an event stream: the `seq` of the last event that the client has.
    #[param(rename = "Last-Event-ID", minimum = 0)]
    last_event_id: Option<u64>,
}

/// What the answer is to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Every event as it happens.
    Events,
    /// The answer, when it is whole.
    Json,
}

impl Form {
    /// What the caller accepts; JSON where it does not say.
    ///
    /// # Errors
    ///
    /// 406 where it is neither.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        if !headers.contains_key(ACCEPT) {
            return Ok(Self::Json);
        }
        let accepts = |kind| crate::http::wants(headers, ACCEPT, kind);
        if accepts("text/event-stream") {
            Ok(Self::Events)
        } else if ["application/json", "application/*", "*/*"]
            .into_iter()
            .any(accepts)
        {
            Ok(Self::Json)
        } else {
            let detail = "the answer can be `text/event-stream` or `application/json`";
            let status = StatusCode::NOT_ACCEPTABLE;
            Err(Problem::new(status, "not_acceptable", detail))
        }
    }
}

/// What a client has already that comes back to an event stream.
///
/// # Errors
///
/// 400 for what is no place in a log, and no log.
pub(super) fn after(query: Option<&str>, headers: &HeaderMap) -> Result<Option<After>, Problem> {
    const FIELD: &str = "Last-Event-ID";
    let epoch: Option<Uuid> = Query::parse(query).parsed("epoch", "must be a UUID")?;
    let id = single(headers, &LAST_EVENT_ID, FIELD)?;
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    let seq = super::super::query::seq(FIELD, id)?;
    Ok(Some(After::Seq {
        seq,
        epoch: epoch.map(LogEpoch::from),
    }))
}

/// The name that stands in the header, without the quotes that the draft wants around it.
///
/// # Errors
///
/// 400 where it is none.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<MessageId>, Problem> {
    const FIELD: &str = "Idempotency-Key";
    let Some(text) = single(headers, &IDEMPOTENCY_KEY, FIELD)? else {
        return Ok(None);
    };
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    MessageId::try_from(quoted.unwrap_or(text).to_owned())
        .map(Some)
        .map_err(|_invalid| Problem::invalid_field(FIELD, "must have 1 to 64 characters"))
}

/// The message itself.
///
/// # Errors
///
/// 400 for what a frame would be refused for too.
pub(super) fn input(bytes: &[u8]) -> Result<UserInput, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_invalid| Problem::bad_request("the body must be UTF-8"))?;
    Ok(UserInput::parse(text)?)
}

/// What the message is called; a new name where none is given.
///
/// # Errors
///
/// 400 where it is given two.
pub(super) fn name(id: Option<MessageId>, key: Option<MessageId>) -> Result<MessageId, Problem> {
    match (id, key) {
        (Some(id), Some(key)) if id != key => {
            let message = "must be the same as `Idempotency-Key`, where both are given";
            Err(Problem::invalid_field("id", message))
        }
        (given, key) => Ok(given.or(key).unwrap_or_else(MessageId::generate)),
    }
}

/// A header that may stand there once.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    field: &'static str,
) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    text.map(Some)
        .ok_or_else(|| Problem::invalid_field(field, "must be given once, in ASCII"))
}
