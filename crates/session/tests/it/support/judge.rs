//! What must be true of every log and of everything that a reader saw, whatever happened.

use std::collections::{HashMap, HashSet};

use patter_protocol::{
    CallId, DurableEvent, EventBody, FinishReason, LiveEvent, MessageId, ResponseId, ServerMessage,
};

/// Checks the log of a session in which nothing is in flight.
pub fn check_log(log: &[DurableEvent]) {
    let mut event_ids = HashSet::new();
    let mut messages = HashSet::new();
    let mut is_open = false;
    for (event, seq) in log.iter().zip(1..) {
        assert_eq!(event.seq, seq, "a gap");
        assert!(event_ids.insert(event.event_id), "stored twice: {event:?}");
        match &event.body {
            EventBody::SessionStarted(_) => {
                assert!(!is_open, "started twice: {log:#?}");
                is_open = true;
            }
            EventBody::SessionEnded(_) => {
                assert!(is_open, "ended twice: {log:#?}");
                is_open = false;
            }
            EventBody::SessionSummary(_) => assert!(!is_open, "a summary in mid-session"),
            body => {
                assert!(is_open, "after the end: {body:?} of {log:#?}");
                if let EventBody::UserMessage(message) = body {
                    assert!(messages.insert(message.id.clone()), "{}", message.id);
                }
            }
        }
    }
    check_answers(log, &messages);
    check_calls(log);
}

/// Each message has one answer that counts, and no other message has any.
fn check_answers(log: &[DurableEvent], messages: &HashSet<MessageId>) {
    let mut counting: HashMap<ResponseId, MessageId> = HashMap::new();
    let mut ids = HashSet::new();
    for event in log {
        if let EventBody::AiResponse(answer) = &event.body {
            assert!(ids.insert(answer.response_id), "ended twice: {answer:?}");
            if let Some(superseded) = answer.supersedes {
                assert_eq!(
                    counting.remove(&superseded).as_ref(),
                    Some(&answer.message_id),
                    "nothing to supersede: {answer:?}"
                );
            }
            if answer.superseded {
                let other = counting.values().any(|it| *it == answer.message_id);
                assert!(other, "nothing superseded it: {answer:?}");
            } else {
                counting.insert(answer.response_id, answer.message_id.clone());
            }
        }
    }
    let mut answered: Vec<_> = counting.into_values().collect();
    let mut expected: Vec<_> = messages.iter().cloned().collect();
    answered.sort();
    expected.sort();
    assert_eq!(answered, expected, "{log:#?}");
}

/// Each call has one result, behind it and before the end of its answer.
fn check_calls(log: &[DurableEvent]) {
    let mut open: HashMap<CallId, ResponseId> = HashMap::new();
    let mut calls = HashSet::new();
    for event in log {
        match &event.body {
            EventBody::ToolCall(call) => {
                assert!(calls.insert(call.call_id), "called twice: {call:?}");
                open.insert(call.call_id, call.response_id);
            }
            EventBody::ToolResult(result) => {
                let of = open.remove(&result.call_id);
                assert_eq!(of, Some(result.response_id), "{result:?} of {log:#?}");
            }
            EventBody::AiResponse(answer) => {
                let is_open = open.values().any(|it| *it == answer.response_id);
                assert!(!is_open, "a call without a result: {log:#?}");
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "calls without a result: {log:#?}");
}

/// Checks what one connection saw that was attached behind `after` in this log.
pub fn check_connection(log: &[DurableEvent], after: u64, seen: &[ServerMessage]) {
    let Some((first, rest)) = seen.split_first() else {
        return;
    };
    let ServerMessage::Live(LiveEvent::SessionReady(ready)) = first else {
        panic!("not ready first: {first:?}")
    };
    let mut seq = if ready.reset { 0 } else { after };
    let mut texts = Texts::default();
    for message in rest {
        match message {
            ServerMessage::Durable(event) => {
                seq += 1;
                assert_eq!(event.seq, seq, "after {after} in {seen:#?}");
                let at = usize::try_from(seq - 1).unwrap();
                assert_eq!(log.get(at), Some(event));
                texts.end(&event.body);
            }
            ServerMessage::Live(event) => texts.take(event),
        }
    }
    texts.check_against(log);
}

/// The text of each answer as a connection has it, and the index of its next piece.
#[derive(Default)]
struct Texts {
    open: HashMap<ResponseId, (String, i64)>,
}

impl Texts {
    fn take(&mut self, event: &LiveEvent) {
        match event {
            LiveEvent::Token(token) => {
                let (text, next) = self.open.entry(token.response_id).or_default();
                let last = i64::try_from(token.index).unwrap();
                let count = i64::from(token.count.unwrap_or(1));
                assert_eq!(last - count + 1, *next, "a piece is missing: {token:?}");
                *next = last + 1;
                text.push_str(&token.content);
            }
            LiveEvent::ResponseSnapshot(snapshot) => {
                let has = (snapshot.content.clone(), snapshot.index + 1);
                self.open.insert(snapshot.response_id, has);
            }
            _ => {}
        }
    }

    /// An answer that was followed to its end was seen whole.
    fn end(&mut self, body: &EventBody) {
        if let EventBody::AiResponse(answer) = body
            && let Some((text, _)) = self.open.remove(&answer.response_id)
        {
            assert_eq!(text, answer.content, "{answer:?}");
        }
    }

    /// What was seen of the others is how they begin, unless their process was lost.
    fn check_against(&self, log: &[DurableEvent]) {
        for event in log {
            if let EventBody::AiResponse(answer) = &event.body
                && let Some((text, _)) = self.open.get(&answer.response_id)
            {
                let is_lost =
                    answer.finish_reason == FinishReason::Interrupted && answer.content.is_empty();
                assert!(is_lost || answer.content.starts_with(text), "{answer:?}");
            }
        }
    }
}
