//! The judge judged: for each invariant a history that is fine, and some that break it.

use serde_json::{Value, json};

use super::{Complaint, Invariant, verify};
use crate::history::{
    Asked, ClientLog, ConnectionLog, End, History, Received, Row, Sent, StoredSession,
};
use crate::moment::Moment;
use crate::script::Script;

fn script() -> Script {
    Script::new("m1").tokens(2, 100)
}

fn started(seq: u64) -> Value {
    json!({"type": "session_started", "seq": seq, "user_id": null})
}

fn said(seq: u64) -> Value {
    json!({"type": "user_message", "seq": seq, "id": "m1", "content": script().to_string()})
}

fn answered(seq: u64) -> Value {
    json!({"type": "ai_response", "seq": seq, "response_id": "r1", "message_id": "m1",
        "content": script().answer(), "finish_reason": "stop", "supersedes": null})
}

fn ended(seq: u64) -> Value {
    json!({"type": "session_ended", "seq": seq, "reason": "disconnect"})
}

fn ready() -> Value {
    json!({"type": "session_ready", "reset": false})
}

fn token(index: usize) -> Value {
    json!({"type": "token", "response_id": "r1", "index": index, "content": script().token(index)})
}

fn connection(after: u64, frames: Vec<Value>) -> ConnectionLog {
    let at = Moment::at(2.0);
    ConnectionLog {
        node: "one".to_owned(),
        after,
        opened_at: at,
        frames: frames
            .into_iter()
            .map(|frame| Received { at, frame })
            .collect(),
        end: Some((at, End::Left)),
    }
}

fn rows(events: Vec<Value>) -> Vec<Row> {
    let at = Moment::at(1.0);
    events.into_iter().map(|event| Row { event, at }).collect()
}

fn asked(at: f64) -> Asked {
    Asked {
        message: Some("m1".to_owned()),
        step: 0,
        at: Moment::at(at),
        left_at: None,
        is_over: true,
    }
}

/// One session, one message, one answer, on two connections, and all is well.
fn fine() -> History {
    let client = ClientLog {
        session_id: "s".to_owned(),
        connections: vec![
            connection(0, vec![ready(), started(1), said(2), token(0)]),
            connection(
                2,
                vec![
                    ready(),
                    json!({"type": "response_snapshot", "response_id": "r1", "index": 0,
                        "content": script().token(0)}),
                    token(1),
                    answered(3),
                    ended(4),
                ],
            ),
        ],
        sent: vec![Sent {
            at: Moment::at(0.5),
            id: "m1".to_owned(),
            content: script().to_string(),
            connection: 0,
        }],
        ..ClientLog::default()
    };
    let session = StoredSession {
        session_id: "s".to_owned(),
        last_seq: 4,
        is_active: false,
        rows: rows(vec![started(1), said(2), answered(3), ended(4)]),
    };
    History {
        clients: vec![client],
        sessions: vec![session],
        asked: vec![asked(1.001)],
        all_left: true,
        ..History::default()
    }
}

/// The complaints after a change, which must all be about one invariant.
fn broken(invariant: Invariant, change: impl FnOnce(&mut History)) -> Vec<Complaint> {
    let mut history = fine();
    change(&mut history);
    let complaints = verify(&history);
    assert!(
        complaints.iter().any(|it| it.invariant == invariant),
        "no complaint about {invariant:?} in {complaints:?}"
    );
    complaints
}

fn still_fine(change: impl FnOnce(&mut History)) {
    let mut history = fine();
    change(&mut history);
    assert_eq!(verify(&history), []);
}

fn stored(history: &mut History) -> &mut Vec<Row> {
    &mut history.sessions[0].rows
}

fn frames(history: &mut History, connection: usize) -> &mut Vec<Received> {
    &mut history.clients[0].connections[connection].frames
}

fn received(frame: Value) -> Received {
    Received {
        at: Moment::at(2.0),
        frame,
    }
}

#[test]
fn what_is_fine_is_fine() {
    still_fine(|_| {});
}

#[test]
fn i1_a_gap_and_a_wrong_last_seq_are_found() {
    broken(Invariant::I1, |history| {
        stored(history)[3].event["seq"] = 5.into();
    });
    broken(Invariant::I1, |history| history.sessions[0].last_seq = 3);
}

#[test]
fn i2_a_frame_that_is_missing_or_comes_twice_is_found() {
    let complaints = broken(Invariant::I2, |history| {
        frames(history, 1).remove(3);
    });
    assert!(complaints[0].evidence.contains("seq 4"), "{complaints:?}");
    broken(Invariant::I2, |history| {
        frames(history, 1).push(received(answered(3)));
    });
    broken(Invariant::I2, |history| {
        frames(history, 1).swap(3, 4);
    });
    broken(Invariant::I2, |history| {
        frames(history, 0).remove(0);
    });
}

#[test]
fn i3_a_row_that_no_connection_has_brought_is_found() {
    let complaints = broken(Invariant::I3, |history| {
        frames(history, 0).truncate(2);
    });
    assert!(complaints[0].evidence.contains("seq 2"), "{complaints:?}");
}

#[test]
fn i2_a_message_that_was_sent_again_may_come_again_and_no_other() {
    let again = |history: &mut History| {
        let mut sent = history.clients[0].sent[0].clone();
        sent.connection = 1;
        history.clients[0].sent.push(sent);
        frames(history, 1).push(received(said(2)));
    };
    still_fine(again);
    broken(Invariant::I2, |history| {
        again(history);
        frames(history, 1).push(received(said(2)));
    });
    broken(Invariant::I2, |history| {
        frames(history, 1).push(received(said(2)));
    });
}

#[test]
fn i2_a_log_that_is_another_one_begins_anew() {
    still_fine(|history| {
        let connection = &mut history.clients[0].connections[1];
        connection.frames[0].frame["reset"] = true.into();
        connection.frames.insert(1, received(started(1)));
        connection.frames.insert(2, received(said(2)));
    });
}

#[test]
fn i3_a_frame_that_is_not_the_row_is_found() {
    broken(Invariant::I3, |history| {
        frames(history, 1)[3].frame["model"] = "another".into();
    });
    broken(Invariant::I3, |history| {
        stored(history).pop();
        history.sessions[0].last_seq = 3;
    });
}

#[test]
fn i4_an_acknowledged_message_that_is_lost_doubled_or_changed_is_found() {
    broken(Invariant::I4, |history| {
        stored(history).remove(1);
    });
    broken(Invariant::I4, |history| history.sessions.clear());
    broken(Invariant::I4, |history| {
        stored(history).push(Row {
            event: said(5),
            at: Moment::at(1.0),
        });
    });
    broken(Invariant::I4, |history| {
        stored(history)[1].event["content"] = "say nothing".into();
    });
    broken(Invariant::I4, |history| history.clients[0].sent.clear());
}

#[test]
fn i4_a_message_that_was_accepted_and_never_stored_is_found() {
    broken(Invariant::I4, |history| {
        let accepted = json!({"type": "accepted", "id": "m2", "durability": "spooled"});
        frames(history, 1).push(received(accepted));
    });
}

#[test]
fn i5_two_answers_or_none_are_found_and_a_superseded_one_is_fine() {
    let second = |supersedes: Value| {
        move |history: &mut History| {
            let mut event = answered(4);
            event["response_id"] = "r2".into();
            event["supersedes"] = supersedes;
            let at = Moment::at(1.0);
            stored(history)[3].event["seq"] = 5.into();
            stored(history).insert(3, Row { event, at });
            history.sessions[0].last_seq = 5;
            frames(history, 1).pop();
        }
    };
    still_fine(second("r1".into()));
    broken(Invariant::I5, second(Value::Null));
    still_fine(|history| {
        second(Value::Null)(history);
        stored(history)[3].event["superseded"] = true.into();
    });
    broken(Invariant::I5, |history| {
        stored(history)[2].event["superseded"] = true.into();
    });
    broken(Invariant::I5, |history| {
        stored(history).remove(2);
    });
}

#[test]
fn i6_tokens_that_are_not_the_answer_are_found() {
    // One is missing.
    broken(Invariant::I6, |history| {
        frames(history, 1).remove(2);
    });
    // It comes after one that is missing.
    broken(Invariant::I6, |history| {
        frames(history, 0).remove(3);
        frames(history, 0).push(received(token(1)));
    });
    // It is another one.
    broken(Invariant::I6, |history| {
        frames(history, 0)[3].frame["content"] = "no ".into();
    });
    // The snapshot is another answer's.
    broken(Invariant::I6, |history| {
        frames(history, 1)[1].frame["content"] = "no ".into();
    });
    // The model said something else.
    broken(Invariant::I6, |history| {
        stored(history)[2].event["content"] = script().token(0).into();
    });
}

#[test]
fn i6_joined_tokens_and_an_answer_that_was_lost_with_its_process_are_fine() {
    still_fine(|history| {
        let all = json!({"type": "token", "response_id": "r1", "index": 1, "count": 2,
            "content": script().answer()});
        frames(history, 0)[3].frame = all;
    });
    still_fine(|history| {
        let lost = |event: &mut Value| {
            event["content"] = "".into();
            event["finish_reason"] = "interrupted".into();
        };
        lost(&mut stored(history)[2].event);
        lost(&mut frames(history, 1)[3].frame);
    });
}

#[test]
fn i7_a_session_that_is_never_or_twice_finalized_is_found() {
    broken(Invariant::I7, |history| {
        stored(history).pop();
        history.sessions[0].last_seq = 3;
        history.sessions[0].is_active = true;
    });
    broken(Invariant::I7, |history| {
        stored(history).extend(rows(vec![ended(5)]));
        history.sessions[0].last_seq = 5;
    });
    broken(Invariant::I7, |history| {
        stored(history)[1].event = started(2);
    });
    // It was reopened, and is left.
    broken(Invariant::I7, |history| {
        stored(history).extend(rows(vec![started(5)]));
        history.sessions[0].last_seq = 5;
    });
}

#[test]
fn i7_a_session_that_somebody_still_holds_may_be_open() {
    still_fine(|history| {
        history.all_left = false;
        stored(history).pop();
        frames(history, 1).pop();
        history.sessions[0].last_seq = 3;
        history.sessions[0].is_active = true;
    });
}

#[test]
fn i8_a_message_that_is_asked_for_twice_is_found() {
    broken(Invariant::I8, |history| history.asked.push(asked(1.5)));
    // A retry that is configured is none.
    still_fine(|history| {
        history.retries = 1;
        history.asked.push(asked(1.5));
    });
    // A crash after the row is there is no excuse.
    broken(Invariant::I8, |history| {
        history.disturbances.push(Moment::at(1.2));
        history.asked.push(asked(1.5));
    });
    // Another step is another request.
    still_fine(|history| {
        let mut second = asked(1.5);
        second.step = 1;
        history.asked.push(second);
    });
}

#[test]
fn i8_a_request_that_died_with_its_process_before_the_row_was_there_is_fine() {
    still_fine(|history| {
        history.disturbances.push(Moment::at(0.8));
        history.asked.push(asked(0.7));
    });
    broken(Invariant::I8, |history| history.asked.push(asked(0.7)));
    broken(Invariant::I8, |history| {
        history.disturbances.push(Moment::at(0.8));
        history.asked.push(asked(0.7));
        history.asked.push(asked(0.75));
    });
}

#[test]
fn i8_an_answer_that_was_asked_for_again_is_fine() {
    still_fine(|history| {
        history.clients[0].regenerated = 1;
        history.asked.push(asked(1.5));
    });
}
