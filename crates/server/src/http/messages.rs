//! `POST /api/sessions/{session_id}/messages`: a turn without a WebSocket. The message goes into the same
//! session, the events of the protocol come back as an event stream, or the answer alone as JSON.

mod events;
mod form;

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use patter_protocol::{ClientMessage, CloseCode, MessageId, SessionId, UserInput};
use patter_session::{After, Attachment, Delivery, Frame, Receipt, Refusal, SessionHandle};
use patter_store::{EventQuery, SessionStore};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

use super::routes::Route;
use super::{App, Body, Problem, Query, Reply, access, body};
use crate::admission::Admission;
use crate::auth::{Caller, Validity};
use crate::limits::{self, Place};
use events::{Reader, answers};
use form::{Form, SayHeaders, SayQuery};

/// What nginx and others heed.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How often a session is asked again that ended just as it was asked.
const ATTEMPTS: usize = 3;

/// So many answers are looked at at a time.
const PAGE: u32 = 100;

/// Answered where the answer takes longer than anybody should wait.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pending")]
pub(super) struct PendingJson {
    /// Always `pending`.
    status: &'static str,
    /// The message, which was taken: asking again with it brings the answer.
    message_id: MessageId,
}

/// Says something to the model, and brings its answer.
///
/// # Errors
///
/// 4xx for a bad message, 429 and 503 where it was not taken. Once the stream has begun, what goes wrong
/// is told in it.
#[utoipa::path(
    post,
    operation_id = "say",
    path = "/api/sessions/{session_id}/messages",
    tag = "conversation",
    params(super::sessions::SessionPath, SayQuery, SayHeaders),
    request_body(content = ref("#/components/schemas/UserInput"), description = "What is said; \
        `Idempotency-Key` may stand in for `id`. Sent again with the same name, it is answered once."),
    responses(
        (status = 200, description = "The answer: as JSON when it is whole, or all events as they happen",
            content((ref("#/components/schemas/DurableEvent") = "application/json"),
                (String = "text/event-stream"))),
        (status = 202, description = "The message was taken and its answer takes long: ask again with the same name",
            body = ref("#/components/schemas/Pending")),
        (status = 404, description = "The session is not the caller's, or sessions are begun under ids of the server alone and there is none of this one"),
        (status = 406, description = "Neither JSON nor an event stream is wanted"),
        (status = 429, description = "Too much is asked for; `Retry-After` says when to come back"),
        (status = 503, description = "The message cannot be taken now"),
    )
)]
pub(super) async fn say(
    app: &App,
    caller: &Caller,
    request: Request<Incoming>,
    session_id: SessionId,
) -> Reply {
    let form = Form::of(request.headers())?;
    let after = form::after(request.uri().query(), request.headers())?;
    let key = form::idempotency_key(request.headers())?;
    let user_id = Query::parse(request.uri().query()).user_id()?;
    let options = access::open_options(app, caller, &session_id, user_id)?;
    if !body::is_json(request.headers()) {
        return Err(body::not_json());
    }
    let admission = request.extensions().get::<Arc<Admission>>();
    let is_counted = admission.is_some_and(|admission| admission.is_counted());
    let bytes = body::bytes(request, Route::Say.body_limit()).await?;
    let mut input = form::input(&bytes)?;
    let message_id = form::name(input.id.take(), key)?;
    input.id = Some(message_id.clone());

    let place = app.limits.stay(caller, is_counted)?;
    let who = app.limits.who(caller);
    app.limits.message(who.as_ref())?;
    limits::may_open(app, caller, &session_id).await?;
    let session = app
        .sessions
        .open(session_id, options)
        .await?
        .counted_for(who.map(|who| who.name()));
    match form {
        Form::Events => {
            let turn = Turn::begin(app, &session, input, after).await?;
            Ok(turn.into_stream(app.authenticator.validity(caller), place))
        }
        Form::Json => {
            let turn = Turn::begin(app, &session, input, None).await?;
            turn.answer(app.sessions.settings().turn_timeout).await
        }
    }
}

/// A message that was taken, and a reader of what comes of it.
#[derive(Debug)]
struct Turn {
    message_id: MessageId,
    attachment: Attachment,
    /// The answer is among what the client has already.
    is_answered: bool,
}

impl Turn {
    /// Attaches first and speaks then, so that nothing of the answer is missed.
    async fn begin(
        app: &App,
        session: &SessionHandle,
        input: UserInput,
        after: Option<After>,
    ) -> Result<Self, Problem> {
        let message_id = input.id.clone().unwrap_or_else(MessageId::generate);
        let message = ClientMessage::UserMessage(input);
        for _ in 0..ATTEMPTS {
            let attachment = session.attach(after.unwrap_or(After::Now)).await?;
            let seq = match session.submit(message.clone()).await {
                Ok(Receipt::Taken) => None,
                Ok(Receipt::Repeated(event)) => event.seq(),
                // It ended in between, and is opened again.
                Err(Refusal::Gone) => continue,
                Err(refusal) => return Err(refusal.into()),
            };
            let Some(seq) = seq else {
                return Ok(Self {
                    message_id,
                    attachment,
                    is_answered: false,
                });
            };
            return Self::look_back(app, session, (message_id, seq), attachment, after).await;
        }
        let detail = "the session is just being closed; try again";
        Err(Problem::unavailable("busy", detail))
    }

    /// The message was said before and stands in the log at `seq`: the client gets it and all that came of
    /// it, or of that what it has not seen yet.
    async fn look_back(
        app: &App,
        session: &SessionHandle,
        (message_id, seq): (MessageId, u64),
        attachment: Attachment,
        after: Option<After>,
    ) -> Result<Self, Problem> {
        let is_answered = match after {
            Some(_) => {
                let seen = seq..attachment.begins_after();
                is_answered(app.sessions.store(), session.id(), seen, &message_id).await?
            }
            None => false,
        };
        let attachment = if after.is_some() {
            attachment
        } else {
            // Its place is taken again.
            drop(attachment);
            let seq = seq.saturating_sub(1);
            session.attach(After::Seq { seq, epoch: None }).await?
        };
        Ok(Self {
            message_id,
            attachment,
            is_answered,
        })
    }

    fn into_stream(self, validity: Validity, place: Option<Place>) -> Response<Body> {
        let reader = Reader {
            attachment: self.attachment,
            message_id: self.message_id,
            is_answered: self.is_answered,
            validity,
            _place: place,
        };
        let mut response = Response::new(body::stream(reader.into_stream()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        // Of proxies: each event is to go on at once.
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
        super::never_cached(headers);
        response
    }

    /// Waits for the answer, at most so long.
    async fn answer(mut self, limit: Duration) -> Reply {
        match timeout(limit, self.next_answer()).await {
            Ok(Ok(answer)) => Ok(super::json_bytes(StatusCode::OK, answer.bytes().clone())),
            Ok(Err(code)) => Err(broken_off(code)),
            Err(_elapsed) => {
                let pending = PendingJson {
                    status: "pending",
                    message_id: self.message_id,
                };
                let mut response = super::json(StatusCode::ACCEPTED, &pending);
                let retry_after = HeaderValue::from_static("5");
                response.headers_mut().insert(RETRY_AFTER, retry_after);
                Ok(response)
            }
        }
    }

    async fn next_answer(&mut self) -> Result<Frame, CloseCode> {
        loop {
            match self.attachment.next().await {
                Delivery::Frame(frame) if answers(&frame, &self.message_id) => return Ok(frame),
                Delivery::Frame(_) => {}
                Delivery::Closed(code) => return Err(code),
            }
        }
    }
}

/// Why there is no answer although the message was taken.
fn broken_off(code: CloseCode) -> Problem {
    if code == CloseCode::Restart {
        return Problem::draining();
    }
    let detail = "the session was closed before the answer was whole; ask again with the same name";
    Problem::unavailable("busy", detail)
}

/// Whether the log has an answer to the message in this part, the first `seq` left out and the last one not.
async fn is_answered(
    store: &Arc<dyn SessionStore>,
    session_id: &SessionId,
    seen: std::ops::Range<u64>,
    message_id: &MessageId,
) -> Result<bool, Problem> {
    let mut after = seen.start;
    while after < seen.end {
        let query = EventQuery {
            after,
            limit: PAGE,
            types: vec!["ai_response".to_owned()],
        };
        let page = store.events(session_id, query).await?;
        let Some(last) = page.last() else {
            return Ok(false);
        };
        after = last.event.seq;
        let seen_ones = page.iter().filter(|stored| stored.event.seq <= seen.end);
        if seen_ones
            .map(|stored| &stored.event.body)
            .any(|body| events::is_answer_to(body, message_id))
        {
            return Ok(true);
        }
    }
    Ok(false)
}
