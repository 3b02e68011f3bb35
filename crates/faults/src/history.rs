//! What happened, as each side tells it: the frames that a client saw and what it sent, the rows of
//! the tables, and what the model was asked. The judge knows nothing else.

use std::collections::HashMap;

use serde_json::Value;

use crate::moment::Moment;

/// Everything about one run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// What each client saw and sent.
    pub clients: Vec<ClientLog>,
    /// The tables.
    pub sessions: Vec<StoredSession>,
    /// What the model was asked.
    pub asked: Vec<Asked>,
    /// When a process was killed or paused, or a session may have changed its owner otherwise.
    pub disturbances: Vec<Moment>,
    /// How often a request that failed before its first token is tried again (`llm.retries`).
    pub retries: usize,
    /// Whether all clients have left, the linger is over, and every session must be finalized.
    pub all_left: bool,
}

/// What one client saw and sent.
#[derive(Debug, Clone, Default)]
pub struct ClientLog {
    /// Its session.
    pub session_id: String,
    /// Its connections, oldest first.
    pub connections: Vec<ConnectionLog>,
    /// What it sent, repeats included.
    pub sent: Vec<Sent>,
    /// When it was refused, and how.
    pub refusals: Vec<(Moment, Refusal)>,
    /// How often it asked for an answer to be given again.
    pub regenerated: usize,
}

/// Why a connection could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody listens, or the connection broke before an answer.
    Unreachable,
    /// The server said no.
    Status {
        /// The status of HTTP.
        status: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
}

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When it was written to the socket.
    pub at: Moment,
    /// Its id.
    pub id: String,
    /// Its text.
    pub content: String,
    /// On which of the connections.
    pub connection: usize,
}

/// One connection.
#[derive(Debug, Clone)]
pub struct ConnectionLog {
    /// Whom it went to.
    pub node: String,
    /// The last `seq` that the client said it had.
    pub after: u64,
    /// When the handshake was done.
    pub opened_at: Moment,
    /// What came, oldest first.
    pub frames: Vec<Received>,
    /// How it ended; `None` while it is open.
    pub end: Option<(Moment, End)>,
}

/// A frame and when it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// When.
    pub at: Moment,
    /// What.
    pub frame: Value,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server closed with this code.
    Closed(u16),
    /// It broke.
    Cut,
    /// The client left.
    Left,
}

/// A session as the tables have it.
#[derive(Debug, Clone, Default)]
pub struct StoredSession {
    /// Its name.
    pub session_id: String,
    /// The column `last_seq`.
    pub last_seq: u64,
    /// The column `is_active`.
    pub is_active: bool,
    /// Its rows, in order of `seq`.
    pub rows: Vec<Row>,
}

/// A row of the log.
#[derive(Debug, Clone)]
pub struct Row {
    /// The event as it goes over the wire.
    pub event: Value,
    /// When it was born, by the server's clock.
    pub at: Moment,
}

impl Row {
    /// Its place in the log; 0 if it has none.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.event["seq"].as_u64().unwrap_or_default()
    }

    /// What kind of event it is.
    #[must_use]
    pub fn kind(&self) -> &str {
        text(&self.event, "type")
    }
}

/// One request to the model.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The id of the message that is to be answered; `None` for a summary.
    pub message: Option<String>,
    /// Which step of the answer it is for: how many tools had answered before.
    pub step: usize,
    /// When it came.
    pub at: Moment,
    /// When the client went before its answer was over.
    pub left_at: Option<Moment>,
    /// Whether its answer was over in time.
    pub is_over: bool,
}

/// A field of text; empty where there is none.
#[must_use]
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

impl History {
    /// The texts that were sent, by session and message.
    #[must_use]
    pub fn sent_texts(&self) -> HashMap<(&str, &str), &str> {
        let mut texts = HashMap::new();
        for client in &self.clients {
            for sent in &client.sent {
                texts.insert(
                    (client.session_id.as_str(), sent.id.as_str()),
                    sent.content.as_str(),
                );
            }
        }
        texts
    }

    /// Messages that a client saw as stored, by session and message, each once.
    #[must_use]
    pub fn acknowledged(&self) -> HashMap<(&str, &str), Moment> {
        let mut acknowledged: HashMap<(&str, &str), Moment> = HashMap::new();
        for client in &self.clients {
            for received in client.connections.iter().flat_map(|it| &it.frames) {
                if received.frame["type"] == "user_message" {
                    let id = text(&received.frame, "id");
                    let first = acknowledged
                        .entry((client.session_id.as_str(), id))
                        .or_insert(received.at);
                    if received.at < *first {
                        *first = received.at;
                    }
                }
            }
        }
        acknowledged
    }
}
