//! How a session stands, as the gauges tell it and the list of live sessions: each session adds itself to the
//! gauges, and takes itself out when its task ends, however that ends.

use std::sync::Arc;

use super::Measures;
use crate::live::Vitals;

/// What a session does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionState {
    Opening,
    Answering,
    Idle,
    Lingering,
    Ending,
}

/// A session's part of the gauges.
#[derive(Debug)]
pub(crate) struct Standing {
    measures: Arc<Measures>,
    vitals: Arc<Vitals>,
    state: SessionState,
    readers: usize,
    messages_waiting: usize,
    events_unstored: usize,
}

impl SessionState {
    pub(super) const ALL: [Self; 5] = [
        Self::Opening,
        Self::Answering,
        Self::Idle,
        Self::Lingering,
        Self::Ending,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Answering => "answering",
            Self::Idle => "idle",
            Self::Lingering => "lingering",
            Self::Ending => "ending",
        }
    }
}

impl Standing {
    /// A session that is being opened.
    pub(crate) fn new(measures: Arc<Measures>, vitals: Arc<Vitals>) -> Self {
        let state = SessionState::Opening;
        measures.sessions(state).inc();
        Self {
            measures,
            vitals,
            state,
            readers: 0,
            messages_waiting: 0,
            events_unstored: 0,
        }
    }

    /// Notes how the session stands now. Called whenever anything has happened, for each piece of an answer
    /// too: then nothing of this has changed, and four comparisons are all that it costs.
    pub(crate) fn set(
        &mut self,
        state: SessionState,
        readers: usize,
        messages_waiting: usize,
        events_unstored: usize,
    ) {
        if readers != self.readers {
            self.vitals.note_readers(readers);
            self.readers = readers;
        }
        if state != self.state {
            self.vitals.note_answering(state == SessionState::Answering);
            self.measures.sessions(self.state).dec();
            self.measures.sessions(state).inc();
            self.state = state;
        }
        if messages_waiting != self.messages_waiting {
            let by = difference(messages_waiting, self.messages_waiting);
            self.measures.messages_waiting.add(by);
            self.vitals.note_queued(messages_waiting);
            self.messages_waiting = messages_waiting;
        }
        if events_unstored != self.events_unstored {
            let by = difference(events_unstored, self.events_unstored);
            self.measures.events_unstored.add(by);
            self.events_unstored = events_unstored;
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.set(self.state, 0, 0, 0);
        self.measures.sessions(self.state).dec();
    }
}

fn difference(now: usize, before: usize) -> i64 {
    let signed = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    signed(now) - signed(before)
}
