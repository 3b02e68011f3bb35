//! What readers saw: I2, I3, I6.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{Complaints, Invariant};
use crate::history::{ClientLog, ConnectionLog, History, StoredSession, text};
use crate::script::Script;

pub(super) fn check(history: &History, complaints: &mut Complaints) {
    let by_name: HashMap<&str, &StoredSession> = history
        .sessions
        .iter()
        .map(|session| (session.session_id.as_str(), session))
        .collect();
    for client in &history.clients {
        let stored = by_name.get(client.session_id.as_str()).copied();
        for (number, connection) in client.connections.iter().enumerate() {
            frames_are_in_order(client, number, connection, complaints);
            tokens_are_the_answer(client, connection, stored, complaints);
        }
        frames_are_the_rows(client, stored, complaints);
        nothing_was_passed_over(client, complaints);
    }
    for session in &history.sessions {
        answers_are_the_scripts(session, complaints);
    }
}

/// I2. A message that was sent on this connection may come once more for each time it was sent: that
/// is how its sender is told that it was stored before.
fn frames_are_in_order(
    client: &ClientLog,
    number: usize,
    connection: &ConnectionLog,
    complaints: &mut Complaints,
) {
    let mut repeats: HashMap<&str, usize> = HashMap::new();
    for sent in client.sent.iter().filter(|sent| sent.connection == number) {
        *repeats.entry(sent.id.as_str()).or_default() += 1;
    }
    let mut last = connection.after;
    for (place, received) in connection.frames.iter().enumerate() {
        let frame = &received.frame;
        if place == 0 && frame["type"] != "session_ready" {
            let evidence = format!("the first frame of a connection is {}", frame["type"]);
            complaints.add(Invariant::I2, &client.session_id, evidence);
        }
        if frame["type"] == "session_ready" && frame["reset"] == true {
            last = 0;
        }
        let Some(seq) = frame["seq"].as_u64() else {
            continue;
        };
        if seq == last + 1 {
            last = seq;
            continue;
        }
        // Ahead of its turn it would hide those in between from a client that is cut off now.
        let is_repeat = seq <= last
            && frame["type"] == "user_message"
            && repeats
                .get_mut(text(frame, "id"))
                .is_some_and(|left| left.checked_sub(1).map(|less| *left = less).is_some());
        if !is_repeat {
            let evidence = format!(
                "connection {number} to {} (after {}): seq {seq} ({}) came at {} behind {last}",
                connection.node, connection.after, frame["type"], received.at
            );
            complaints.add(Invariant::I2, &client.session_id, evidence);
            last = last.max(seq);
        }
    }
}

/// I3.
fn frames_are_the_rows(
    client: &ClientLog,
    stored: Option<&StoredSession>,
    complaints: &mut Complaints,
) {
    let mut complained = 0;
    for received in client.connections.iter().flat_map(|it| &it.frames) {
        let Some(seq) = received.frame["seq"].as_u64() else {
            continue;
        };
        let row = usize::try_from(seq)
            .ok()
            .and_then(|seq| stored?.rows.get(seq.checked_sub(1)?));
        let evidence = match row {
            Some(row) if row.event == received.frame => continue,
            Some(row) => format!(
                "seq {seq} was seen as {}, stored is {}",
                received.frame, row.event
            ),
            None => format!(
                "seq {seq} was seen at {} and is not stored: {}",
                received.at, received.frame
            ),
        };
        complaints.add(Invariant::I3, &client.session_id, evidence);
        complained += 1;
        // One log that is another one tells as much as each of its rows.
        if complained == 3 {
            return;
        }
    }
}

/// I3: over all its connections a client has seen every row up to the last one that it saw. (A client
/// that asks for too little has lost what is in between as well.)
fn nothing_was_passed_over(client: &ClientLog, complaints: &mut Complaints) {
    let frames = client.connections.iter().flat_map(|it| &it.frames);
    let seen: BTreeSet<u64> = frames.filter_map(|it| it.frame["seq"].as_u64()).collect();
    let first = client.connections.first().map_or(0, |first| first.after) + 1;
    let last = seen.last().copied().unwrap_or(0);
    if let Some(missing) = (first..last).find(|seq| !seen.contains(seq)) {
        let evidence = format!("seq {missing} was never seen, and {last} was");
        complaints.add(Invariant::I3, &client.session_id, evidence);
    }
}

/// The text of an answer as a reader has it.
#[derive(Default)]
struct Shown {
    text: String,
    /// The index that the next token must have; `None` until the first one or a snapshot.
    next: Option<i64>,
}

/// I6, on one connection: tokens follow each other, and with the text of the snapshot before them are
/// the beginning of the answer.
fn tokens_are_the_answer(
    client: &ClientLog,
    connection: &ConnectionLog,
    stored: Option<&StoredSession>,
    complaints: &mut Complaints,
) {
    let name = &client.session_id;
    let mut shown: HashMap<&str, Shown> = HashMap::new();
    for received in &connection.frames {
        let frame = &received.frame;
        let response = text(frame, "response_id");
        match text(frame, "type") {
            "response_snapshot" => {
                let snapshot = Shown {
                    text: text(frame, "content").to_owned(),
                    next: frame["index"].as_i64().map(|index| index + 1),
                };
                shown.insert(response, snapshot);
            }
            "token" => {
                let answer = shown.entry(response).or_default();
                let index = frame["index"].as_i64().unwrap_or(-1);
                let count = frame["count"].as_i64().unwrap_or(1);
                let expected = answer.next.unwrap_or(0);
                if index - count + 1 != expected {
                    let evidence = format!(
                        "answer {response}: token {index} (count {count}) came at {} where {expected} should",
                        received.at
                    );
                    complaints.add(Invariant::I6, name, evidence);
                }
                answer.next = Some(index + 1);
                answer.text.push_str(text(frame, "content"));
            }
            // Whoever saw it from its beginning to its end saw all of it.
            "ai_response" if frame["finish_reason"] == "stop" => {
                if let Some(answer) = shown.get(response)
                    && answer.text != text(frame, "content")
                {
                    let evidence = format!(
                        "answer {response} ended with {:?}, and its tokens were {:?}",
                        tail(text(frame, "content")),
                        tail(&answer.text)
                    );
                    complaints.add(Invariant::I6, name, evidence);
                }
            }
            _ => {}
        }
    }
    let rows = stored.into_iter().flat_map(|session| &session.rows);
    for row in rows.filter(|row| row.kind() == "ai_response") {
        let Some(answer) = shown.get(text(&row.event, "response_id")) else {
            continue;
        };
        let content = text(&row.event, "content");
        // What a process had said when it died is not known to the one that closes the answer.
        let is_known = row.event["finish_reason"] != "interrupted";
        let fits =
            content.starts_with(&answer.text) || (!is_known && answer.text.starts_with(content));
        if !fits {
            let evidence = format!(
                "answer {} is {:?}, and a reader had {:?}",
                text(&row.event, "response_id"),
                tail(content),
                tail(&answer.text)
            );
            complaints.add(Invariant::I6, name, evidence);
        }
    }
}

/// I6, towards the model: a whole answer is what the script says, any other one its beginning.
fn answers_are_the_scripts(session: &StoredSession, complaints: &mut Complaints) {
    let mut scripts: HashMap<&str, Script> = HashMap::new();
    for row in &session.rows {
        match row.kind() {
            "user_message" => {
                if let Some(script) = Script::parse(text(&row.event, "content")) {
                    scripts.insert(text(&row.event, "id"), script);
                }
            }
            "ai_response" => {
                let Some(script) = scripts.get(text(&row.event, "message_id")) else {
                    continue;
                };
                if let Some(evidence) = unlike(&row.event, script) {
                    complaints.add(Invariant::I6, &session.session_id, evidence);
                }
            }
            _ => {}
        }
    }
}

fn unlike(answer: &Value, script: &Script) -> Option<String> {
    let content = text(answer, "content");
    let wanted = script.answer();
    let fits = match text(answer, "finish_reason") {
        _ if script.fault != "none" => true,
        "stop" => content == wanted,
        _ => wanted.starts_with(content),
    };
    (!fits).then(|| {
        format!(
            "the answer to {} ({}) is {:?}, and the model said {:?}",
            script.id,
            answer["finish_reason"],
            tail(content),
            tail(&wanted)
        )
    })
}

/// The end of a text, which is where two of them differ mostly, and its length.
fn tail(text: &str) -> String {
    let start = text.len().saturating_sub(40);
    let start = (start..=text.len())
        .find(|place| text.is_char_boundary(*place))
        .unwrap_or_default();
    let end = text.get(start..).unwrap_or_default();
    format!("..{end} ({} bytes)", text.len())
}
