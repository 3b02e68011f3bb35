//! What the tables alone must show, and what clients were told of them: I1, I4, I5, I7.

use std::collections::{HashMap, HashSet};

use super::{Complaints, Invariant};
use crate::history::{History, StoredSession, text};

pub(super) fn check(history: &History, complaints: &mut Complaints) {
    let by_name: HashMap<&str, &StoredSession> = history
        .sessions
        .iter()
        .map(|session| (session.session_id.as_str(), session))
        .collect();
    for session in &history.sessions {
        numbers_have_no_gap(session, complaints);
        answers_are_single(session, complaints);
        openings_are_closed(session, history.all_left, complaints);
    }
    messages_are_kept(history, &by_name, complaints);
}

/// I1.
fn numbers_have_no_gap(session: &StoredSession, complaints: &mut Complaints) {
    let name = &session.session_id;
    for (row, wanted) in session.rows.iter().zip(1..) {
        if row.seq() != wanted {
            let evidence = format!("seq {} stands where {wanted} should", row.seq());
            complaints.add(Invariant::I1, name, evidence);
            break;
        }
    }
    if session.last_seq != session.rows.len() as u64 {
        let evidence = format!(
            "last_seq is {}, and there are {} rows",
            session.last_seq,
            session.rows.len()
        );
        complaints.add(Invariant::I1, name, evidence);
    }
}

/// I4: what was acknowledged, and what was accepted where nothing is under way any more, is one row
/// with the text that was sent; and nothing is stored that nobody said.
fn messages_are_kept(
    history: &History,
    by_name: &HashMap<&str, &StoredSession>,
    complaints: &mut Complaints,
) {
    let mut rows: HashMap<(&str, &str), Vec<&str>> = HashMap::new();
    for session in &history.sessions {
        for row in &session.rows {
            if row.kind() == "user_message" {
                rows.entry((session.session_id.as_str(), text(&row.event, "id")))
                    .or_default()
                    .push(text(&row.event, "content"));
            }
        }
    }
    let texts = history.sent_texts();
    for ((session, id), stored) in &rows {
        if stored.len() > 1 {
            let evidence = format!("message {id} is stored {} times", stored.len());
            complaints.add(Invariant::I4, session, evidence);
        }
        match texts.get(&(*session, *id)) {
            Some(sent) if stored.iter().all(|content| content == sent) => {}
            Some(sent) => {
                let evidence = format!("message {id} was sent as {sent:?}, stored as {stored:?}");
                complaints.add(Invariant::I4, session, evidence);
            }
            None => {
                let evidence = format!("message {id} is stored, and nobody sent it");
                complaints.add(Invariant::I4, session, evidence);
            }
        }
    }
    for ((session, id), at) in history.acknowledged() {
        if !rows.contains_key(&(session, id)) {
            let known = if by_name.contains_key(session) {
                "no row has it"
            } else {
                "the session has no row"
            };
            let evidence = format!("message {id} was acknowledged at {at}, and {known}");
            complaints.add(Invariant::I4, session, evidence);
        }
    }
    for client in &history.clients {
        let frames = client.connections.iter().flat_map(|it| &it.frames);
        for received in frames.filter(|it| it.frame["type"] == "accepted") {
            let id = text(&received.frame, "id");
            if !rows.contains_key(&(client.session_id.as_str(), id)) {
                let evidence = format!(
                    "message {id} was accepted at {}, and no row has it",
                    received.at
                );
                complaints.add(Invariant::I4, &client.session_id, evidence);
            }
        }
    }
}

/// I5.
fn answers_are_single(session: &StoredSession, complaints: &mut Complaints) {
    let superseded: HashSet<&str> = session
        .rows
        .iter()
        .filter(|row| row.kind() == "ai_response")
        .map(|row| text(&row.event, "supersedes"))
        .collect();
    let mut answers: HashMap<&str, Vec<&str>> = HashMap::new();
    for row in &session.rows {
        let response = text(&row.event, "response_id");
        let counts = row.kind() == "ai_response"
            && !superseded.contains(response)
            && row.event["superseded"] != true;
        if counts {
            answers
                .entry(text(&row.event, "message_id"))
                .or_default()
                .push(response);
        }
    }
    for (message, responses) in &answers {
        if responses.len() > 1 {
            let evidence = format!("message {message} has the answers {responses:?}");
            complaints.add(Invariant::I5, &session.session_id, evidence);
        }
    }
    if session.is_active {
        return;
    }
    let messages = session
        .rows
        .iter()
        .filter(|row| row.kind() == "user_message");
    for row in messages {
        let id = text(&row.event, "id");
        if !answers.contains_key(id) {
            let evidence = format!("message {id} has no answer, and the session is finalized");
            complaints.add(Invariant::I5, &session.session_id, evidence);
        }
    }
}

/// I7: `session_started` and `session_ended` take turns, and the last one is the latter where
/// everybody has left.
fn openings_are_closed(session: &StoredSession, all_left: bool, complaints: &mut Complaints) {
    let name = &session.session_id;
    let mut is_open = false;
    for row in &session.rows {
        match row.kind() {
            "session_started" if is_open => {
                let evidence = format!("opened again at seq {} without an end", row.seq());
                complaints.add(Invariant::I7, name, evidence);
            }
            "session_started" => is_open = true,
            "session_ended" if !is_open => {
                let evidence = format!("finalized once more at seq {}", row.seq());
                complaints.add(Invariant::I7, name, evidence);
            }
            "session_ended" => is_open = false,
            // It may come late, and a result that was on its way too.
            "session_summary" => {}
            other if !is_open => {
                let evidence = format!("{other} at seq {} while it was closed", row.seq());
                complaints.add(Invariant::I7, name, evidence);
            }
            _ => {}
        }
    }
    if all_left && (is_open || session.is_active) {
        let evidence = format!(
            "everybody left, and it is not finalized (is_active {}, open in the log {is_open})",
            session.is_active
        );
        complaints.add(Invariant::I7, name, evidence);
    }
}
