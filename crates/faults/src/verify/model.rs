//! What the model was asked: I8.
//!
//! The model is asked while the message is being stored. A process that dies, or loses the session,
//! before the row is there leaves a request for a message that nobody has; it is sent again, and asked
//! for again. So the requests for a message are divided by the birth of its row:
//!
//! - before it: at most one series for each disturbance between the first request and the birth,
//! - from then on: one series, and one more for each time that a client asked for the answer again.
//!
//! A series is at most 1 + `retries` requests for each step of the answer.

use std::collections::HashMap;
use std::time::Duration;

use super::{Complaints, Invariant};
use crate::history::{Asked, History, text};
use crate::moment::Moment;

/// A row is born (in whole milliseconds) before the model is asked; clocks agree so far.
const TOLERANCE: Duration = Duration::from_millis(3);

/// From the moment at which a fault is noted to the one at which the last request that was sent before
/// it has come: the model reads it later than it was sent, on a busy machine a good deal later.
const DEATH: Duration = Duration::from_millis(500);

pub(super) fn check(history: &History, complaints: &mut Complaints) {
    let mut rows: HashMap<&str, (&str, Moment)> = HashMap::new();
    for session in &history.sessions {
        for row in session
            .rows
            .iter()
            .filter(|row| row.kind() == "user_message")
        {
            rows.insert(text(&row.event, "id"), (&session.session_id, row.at));
        }
    }
    let mut regenerated: HashMap<&str, usize> = HashMap::new();
    let mut session_of: HashMap<&str, &str> = HashMap::new();
    for client in &history.clients {
        *regenerated.entry(&client.session_id).or_default() += client.regenerated;
        for sent in &client.sent {
            session_of.insert(&sent.id, &client.session_id);
        }
    }
    let mut asked: HashMap<(&str, usize), Vec<&Asked>> = HashMap::new();
    for request in &history.asked {
        if let Some(message) = &request.message {
            asked
                .entry((message, request.step))
                .or_default()
                .push(request);
        }
    }
    for ((message, step), requests) in asked {
        let session = session_of.get(message).copied().unwrap_or("of nobody");
        let again = regenerated.get(session).copied().unwrap_or_default();
        let series = 1 + history.retries;
        let born = rows.get(message).map(|(_, at)| *at);
        let (before, after): (Vec<&Asked>, Vec<&Asked>) = requests
            .iter()
            .partition(|request| born.is_none_or(|born| request.at.plus(TOLERANCE) < born));
        let most_after = series * (1 + again);
        if after.len() > most_after {
            let times: Vec<String> = after.iter().map(|request| request.at.to_string()).collect();
            let evidence = format!(
                "message {message}, step {step}: stored at {}, asked for at {}; {most_after} would do",
                born.unwrap_or_else(Moment::now),
                times.join(", ")
            );
            complaints.add(Invariant::I8, session, evidence);
        }
        let disturbances = disturbances(history, &before, born);
        // Where there is no row at all, the last series is the one that nothing came of.
        let most_before = series * (disturbances + usize::from(born.is_none()));
        if before.len() > most_before {
            let times: Vec<String> = before
                .iter()
                .map(|request| request.at.to_string())
                .collect();
            let evidence = format!(
                "message {message}, step {step}: asked for at {} before it was stored ({}), with \
                 {disturbances} disturbances in between",
                times.join(", "),
                born.map_or_else(|| "never".to_owned(), |born| born.to_string())
            );
            complaints.add(Invariant::I8, session, evidence);
        }
    }
}

/// How many disturbances lie between the first of these requests and the birth of the row.
fn disturbances(history: &History, before: &[&Asked], born: Option<Moment>) -> usize {
    let Some(first) = before
        .iter()
        .map(|request| request.at)
        .reduce(|one, other| if other < one { other } else { one })
    else {
        return 0;
    };
    history
        .disturbances
        .iter()
        .filter(|at| {
            at.plus(DEATH) >= first && born.is_none_or(|born| **at <= born.plus(TOLERANCE))
        })
        .count()
}
