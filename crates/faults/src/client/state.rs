//! What a client knows: its log, and what follows from it at a glance.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;

use serde_json::Value;
use tokio::sync::Notify;

use crate::history::{ClientLog, End, Received, Refusal, Sent, text};
use crate::moment::Moment;

/// What follows from the frames so far.
#[derive(Debug, Default)]
pub struct View {
    /// The log itself.
    pub log: ClientLog,
    /// Whether there is a connection, and `session_ready` came on it.
    pub is_ready: bool,
    /// The log's epoch, from `session_ready`.
    pub epoch: Option<String>,
    /// The last durable event.
    pub last_seq: u64,
    /// Messages that were said and not seen as stored, in order.
    pub unacknowledged: Vec<(String, String)>,
    /// When each message was seen as stored for the first time.
    pub acknowledged: HashMap<String, Moment>,
    /// Messages that were accepted while the database was away.
    pub accepted: HashSet<String>,
    /// Messages that were said and have no answer yet.
    pub unanswered: HashSet<String>,
    /// Messages that have an answer, whoever said them.
    pub answered: HashSet<String>,
    /// How many answers came, by how they ended.
    pub answers: BTreeMap<String, usize>,
    /// How many tokens came.
    pub tokens: usize,
    /// The codes of notices, in order.
    pub notices: Vec<String>,
    /// The codes of errors, in order.
    pub errors: Vec<String>,
    /// How many `session_ended` came.
    pub endings: usize,
    /// How many tool calls came.
    pub tool_calls: usize,
    /// How many tool results came.
    pub tool_results: usize,
}

impl View {
    /// Whether every message that was said has its answer.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.unacknowledged.is_empty() && self.unanswered.is_empty()
    }

    /// The code of the last close.
    #[must_use]
    pub fn last_end(&self) -> Option<End> {
        let ends = self.log.connections.iter().rev();
        ends.filter_map(|it| it.end).map(|(_, end)| end).next()
    }

    /// In few words, for a complaint.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "ready {}, connections {}, last end {:?}, refusals {} (last {:?}), last seq {}, \
             unacknowledged {:?}, unanswered {:?}, tokens {}, answers {:?}, notices {:?}, errors {:?}",
            self.is_ready,
            self.log.connections.len(),
            self.last_end(),
            self.log.refusals.len(),
            self.log.refusals.last().map(|(_, refusal)| refusal),
            self.last_seq,
            self.unacknowledged
                .iter()
                .take(3)
                .map(|(id, _)| id)
                .collect::<Vec<_>>(),
            self.unanswered.iter().take(3).collect::<Vec<_>>(),
            self.tokens,
            self.answers,
            self.notices,
            self.errors.iter().rev().take(3).collect::<Vec<_>>(),
        )
    }

    /// Writes everything to a file, for somebody to look into; its path, or why there is none.
    #[must_use]
    pub fn write_down(&self) -> String {
        let path = std::env::temp_dir().join(format!("patter-faults-{}.log", self.log.session_id));
        match std::fs::write(&path, format!("{:#?}", self.log)) {
            Ok(()) => path.display().to_string(),
            Err(error) => format!("no file: {error}"),
        }
    }

    fn on_frame(&mut self, at: Moment, frame: Value) {
        if let Some(seq) = frame["seq"].as_u64() {
            self.last_seq = self.last_seq.max(seq);
        }
        match text(&frame, "type") {
            "session_ready" => {
                self.is_ready = true;
                self.epoch = frame["epoch"].as_str().map(str::to_owned);
                if frame["reset"] == true {
                    self.last_seq = 0;
                }
            }
            "user_message" => {
                let id = text(&frame, "id").to_owned();
                self.unacknowledged.retain(|(other, _)| *other != id);
                self.acknowledged.entry(id).or_insert(at);
            }
            "accepted" => {
                self.accepted.insert(text(&frame, "id").to_owned());
            }
            "ai_response" => {
                let message = text(&frame, "message_id");
                self.unanswered.remove(message);
                self.answered.insert(message.to_owned());
                let reason = text(&frame, "finish_reason").to_owned();
                *self.answers.entry(reason).or_default() += 1;
            }
            "token" => self.tokens += 1,
            "tool_call" => self.tool_calls += 1,
            "tool_result" => self.tool_results += 1,
            "session_ended" => self.endings += 1,
            "notice" => self.notices.push(text(&frame, "code").to_owned()),
            "error" => self.errors.push(text(&frame, "code").to_owned()),
            _ => {}
        }
        if let Some(connection) = self.log.connections.last_mut() {
            connection.frames.push(Received { at, frame });
        }
    }
}

/// The view, shared between the client and its task.
#[derive(Debug)]
pub(super) struct State {
    view: Mutex<View>,
    changed: Notify,
}

impl State {
    pub(super) fn new(session_id: &str) -> Self {
        let mut view = View::default();
        session_id.clone_into(&mut view.log.session_id);
        Self {
            view: Mutex::new(view),
            changed: Notify::new(),
        }
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.view.lock().unwrap())
    }

    pub(super) async fn until(&self, holds: impl Fn(&View) -> bool) {
        loop {
            let changed = self.changed.notified();
            if self.look(&holds) {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut View) -> T) -> T {
        let value = change(&mut self.view.lock().unwrap());
        self.changed.notify_waiters();
        value
    }

    /// Notes that a frame came.
    pub(super) fn on_frame(&self, frame: Value) {
        let at = Moment::now();
        self.change(|view| view.on_frame(at, frame));
    }

    /// Notes that a message is to be sent, acknowledged and answered.
    pub(super) fn on_said(&self, id: &str, content: &str) {
        self.change(|view| {
            // Another client may have said it before, and it is sent all the same.
            if !view.answered.contains(id) {
                view.unanswered.insert(id.to_owned());
            }
            view.unacknowledged
                .push((id.to_owned(), content.to_owned()));
        });
    }

    /// Notes that a message was written to the socket.
    pub(super) fn on_sent(&self, id: &str, content: &str) {
        self.change(|view| {
            let connection = view.log.connections.len().saturating_sub(1);
            view.log.sent.push(Sent {
                at: Moment::now(),
                id: id.to_owned(),
                content: content.to_owned(),
                connection,
            });
        });
    }

    pub(super) fn on_refusal(&self, refusal: Refusal) {
        self.change(|view| view.log.refusals.push((Moment::now(), refusal)));
    }

    pub(super) fn on_end(&self, end: End) {
        self.change(|view| {
            view.is_ready = false;
            if let Some(connection) = view.log.connections.last_mut() {
                connection.end.get_or_insert((Moment::now(), end));
            }
        });
    }

    pub(super) fn take_log(&self) -> ClientLog {
        std::mem::take(&mut self.view.lock().unwrap().log)
    }
}
