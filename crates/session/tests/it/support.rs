//! A conversation as a test holds it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "what the tests share; one that cannot go on fails"
)]

pub mod bench;
pub mod judge;

use std::time::Duration;

use patter_protocol::{
    AiResponse, ClientMessage, CloseCode, DurableEvent, ErrorCode, EventBody, LiveEvent, MessageId,
    NoticeCode, ServerMessage, SessionEnded, UserInput,
};
use patter_session::{
    After, Attachment, Delivery, OpenOptions, Receipt, Refusal, SessionHandle, SessionManager,
    SessionSettings,
};
use patter_store::{EventQuery, SessionStore};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::ScriptedModel;
use patter_tools::{ToolContext, ToolError, ToolRegistry, tool};
use serde::Deserialize;
use serde_json::json;

/// Long enough for whatever should come, in a time that passes at once.
const PATIENCE: Duration = Duration::from_secs(3_600);

pub fn manager(
    store: impl SessionStore + 'static,
    model: &ScriptedModel,
    settings: SessionSettings,
) -> SessionManager {
    SessionManager::builder(store, model.clone())
        .tools(tools())
        .system_prompt("You are a test.")
        .settings(settings)
        .start()
}

#[derive(Deserialize, schemars::JsonSchema)]
pub struct Wait {
    /// How long, in milliseconds.
    pub millis: u64,
}

/// `wait` waits and tells how long; `panic` panics; `fail` fails.
pub fn tools() -> ToolRegistry {
    ToolRegistry::new()
        .with(tool("wait", "Waits.", |wait: Wait, _: ToolContext| async move {
            tokio::time::sleep(Duration::from_millis(wait.millis)).await;
            Ok(json!({ "waited": wait.millis }))
        }))
        .unwrap()
        .with(tool("panic", "Panics.", |_: Nothing, _: ToolContext| async move {
            panic!("the tool panics, as it was told to")
        }))
        .unwrap()
        .with(tool("fail", "Fails.", |_: Nothing, _: ToolContext| async move {
            Err(ToolError::Failed("out of order\0".to_owned()))
        }))
        .unwrap()
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Nothing {}

pub async fn open(manager: &SessionManager, id: &str) -> SessionHandle {
    manager
        .open(id.parse().unwrap(), OpenOptions::default())
        .await
        .unwrap()
}

pub fn message(id: &str, content: &str) -> UserInput {
    UserInput {
        id: Some(message_id(id)),
        ..UserInput::text(content)
    }
}

pub fn message_id(id: &str) -> MessageId {
    MessageId::try_from(id.to_owned()).unwrap()
}

pub async fn say(session: &SessionHandle, id: &str, content: &str) {
    session
        .submit(ClientMessage::UserMessage(message(id, content)))
        .await
        .unwrap();
}

/// The code of a refusal.
pub fn refused_with(result: Result<Receipt, Refusal>) -> ErrorCode {
    match result {
        Err(Refusal::Refused(event)) => event.code,
        other => panic!("{other:?}"),
    }
}

/// A reader and everything it got.
pub struct Client {
    attachment: Attachment,
    pub seen: Vec<ServerMessage>,
}

impl Client {
    pub async fn attach(session: &SessionHandle, after: After) -> Self {
        Self::new(session.attach(after).await.unwrap())
    }

    pub fn new(attachment: Attachment) -> Self {
        Self {
            attachment,
            seen: Vec::new(),
        }
    }

    /// The next event; `Err` when nothing more comes.
    pub async fn next(&mut self) -> Result<ServerMessage, CloseCode> {
        match tokio::time::timeout(PATIENCE, self.attachment.next())
            .await
            .unwrap()
        {
            Delivery::Frame(frame) => {
                let message = frame.message().unwrap();
                self.seen.push(message.clone());
                Ok(message)
            }
            Delivery::Closed(code) => Err(code),
        }
    }

    /// Reads until an event is what is looked for.
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(&ServerMessage) -> Option<T>) -> T {
        loop {
            let message = self.next().await.unwrap();
            if let Some(found) = wanted(&message) {
                return found;
            }
        }
    }

    pub async fn until_answer(&mut self) -> AiResponse {
        self.until(|message| match durable(message) {
            Some(EventBody::AiResponse(answer)) => Some(answer.clone()),
            _ => None,
        })
        .await
    }

    pub async fn until_token(&mut self, content: &str) {
        self.until(|message| match message {
            ServerMessage::Live(LiveEvent::Token(token)) => {
                (token.content == content).then_some(())
            }
            _ => None,
        })
        .await;
    }

    pub async fn until_notice(&mut self, code: NoticeCode) {
        self.until(|message| match message {
            ServerMessage::Live(LiveEvent::Notice(notice)) => (notice.code == code).then_some(()),
            _ => None,
        })
        .await;
    }

    pub async fn until_accepted(&mut self, id: &str) {
        self.until(|message| match message {
            ServerMessage::Live(LiveEvent::Accepted(it)) => (it.id == message_id(id)).then_some(()),
            _ => None,
        })
        .await;
    }

    pub async fn until_finished(&mut self) {
        self.until(|message| {
            matches!(message, ServerMessage::Live(LiveEvent::ResponseFinished(_))).then_some(())
        })
        .await;
    }

    /// Reads all that comes within a time; gives whether more may come.
    pub async fn read_for(&mut self, time: Duration) -> bool {
        let until = tokio::time::Instant::now() + time;
        let is_open = loop {
            match tokio::time::timeout_at(until, self.next()).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) => break false,
                Err(_) => break true,
            }
        };
        tokio::time::sleep_until(until).await;
        is_open
    }

    pub fn notices(&self) -> Vec<NoticeCode> {
        let notice = |message: &ServerMessage| match message {
            ServerMessage::Live(LiveEvent::Notice(notice)) => Some(notice.code),
            _ => None,
        };
        self.seen.iter().filter_map(notice).collect()
    }

    pub async fn until_closed(&mut self) -> CloseCode {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// The `type` of each event seen so far, runs of one type folded.
    pub fn types(&self) -> Vec<String> {
        let mut types: Vec<String> = self
            .seen
            .iter()
            .map(|message| {
                let value = serde_json::to_value(message).unwrap();
                value["type"].as_str().unwrap().to_owned()
            })
            .collect();
        types.dedup();
        types
    }

    /// How many events of a `type` were seen so far.
    pub fn count(&self, kind: &str) -> usize {
        let is_kind = |message: &&ServerMessage| {
            serde_json::to_value(message).unwrap()["type"].as_str() == Some(kind)
        };
        self.seen.iter().filter(is_kind).count()
    }

    pub fn durable(&self) -> Vec<DurableEvent> {
        self.seen
            .iter()
            .filter_map(|message| match message {
                ServerMessage::Durable(event) => Some(event.clone()),
                ServerMessage::Live(_) => None,
            })
            .collect()
    }

    /// The text of the tokens of the last answer, and that the indexes of each rise by one.
    pub fn tokens(&self) -> String {
        let mut text = String::new();
        let mut next = None;
        let mut last = None;
        for message in &self.seen {
            match message {
                ServerMessage::Live(LiveEvent::Token(token)) => {
                    if last.replace(token.response_id) != Some(token.response_id) {
                        text.clear();
                        next = None;
                    }
                    assert_eq!(token.index, *next.get_or_insert(token.index));
                    next = Some(token.index + 1);
                    text.push_str(&token.content);
                }
                ServerMessage::Live(LiveEvent::ResponseSnapshot(snapshot)) => {
                    last = Some(snapshot.response_id);
                    text.clone_from(&snapshot.content);
                    next = u64::try_from(snapshot.index + 1).ok();
                }
                _ => {}
            }
        }
        text
    }
}

pub fn durable(message: &ServerMessage) -> Option<&EventBody> {
    match message {
        ServerMessage::Durable(event) => Some(&event.body),
        ServerMessage::Live(_) => None,
    }
}

/// The whole log of the session `s`.
pub async fn events_of(store: &MemoryStore) -> Vec<DurableEvent> {
    let query = EventQuery {
        after: 0,
        limit: 10_000,
        types: Vec::new(),
    };
    let events = store.events(&"s".parse().unwrap(), query).await.unwrap();
    events.into_iter().map(|stored| stored.event).collect()
}

/// What the events of the log of the session `s` tell.
pub async fn log_of(store: &MemoryStore) -> Vec<EventBody> {
    let events = events_of(store).await;
    events.into_iter().map(|event| event.body).collect()
}

/// The end of the session `s`, which is the last event of its log.
pub async fn ended(store: &MemoryStore) -> SessionEnded {
    match log_of(store).await.pop() {
        Some(EventBody::SessionEnded(ended)) => ended,
        other => panic!("{other:?}"),
    }
}
