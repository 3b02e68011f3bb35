//! A store that can be taken away, a local disk, a model, and processes that can be killed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use patter_protocol::{EventBody, FinishReason};
use patter_session::{After, SessionHandle, SessionManager, SessionSettings};
use patter_store::Spool;
use patter_testkit::failing_store::{FailingStore, Failure};
use patter_testkit::memory_spool::MemorySpool;
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, call, text};
use patter_tools::{ToolContext, ToolRegistry, tool};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use super::judge::check_log;
use super::{Client, Wait, events_of, message_id, open, say, tools};

/// One machine with its disk, and the store that it shares with others.
#[derive(Clone)]
pub struct Bench {
    /// What is stored, whoever can reach it.
    pub memory: MemoryStore,
    /// The way of this machine to it.
    pub store: Arc<FailingStore>,
    pub spool: MemorySpool,
    pub model: ScriptedModel,
    /// The calls for which the tool `note` ran.
    pub runs: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let memory = MemoryStore::default();
        Self {
            store: Arc::new(FailingStore::new(Arc::new(memory.clone()))),
            memory,
            spool: MemorySpool::default(),
            model: ScriptedModel::new(replies),
            runs: Arc::default(),
        }
    }

    /// `note` notes that it ran, and then waits like `wait`.
    pub fn tools(&self) -> ToolRegistry {
        let runs = Arc::clone(&self.runs);
        tools()
            .with(tool(
                "note",
                "Notes.",
                move |wait: Wait, context: ToolContext| {
                    runs.lock().unwrap().push(context.call_id);
                    async move {
                        sleep(Duration::from_millis(wait.millis)).await;
                        Ok(json!({}))
                    }
                },
            ))
            .unwrap()
    }

    /// A manager on this machine.
    pub fn manager(&self) -> SessionManager {
        SessionManager::builder(Arc::clone(&self.store), self.model.clone())
            .spool(self.spool.clone())
            .tools(self.tools())
            .start()
    }

    /// A manager on this machine without a local disk.
    pub fn manager_without_spool(&self) -> SessionManager {
        SessionManager::builder(Arc::clone(&self.store), self.model.clone())
            .tools(self.tools())
            .start()
    }

    /// A manager on another machine, which reaches the store whatever happens here.
    pub fn elsewhere(&self, model: &ScriptedModel) -> SessionManager {
        SessionManager::builder(self.memory.clone(), model.clone())
            .settings(SessionSettings::default())
            .tools(self.tools())
            .start()
    }

    pub fn runs(&self) -> usize {
        self.runs.lock().unwrap().len()
    }

    /// Whether a message of the session `s` is on the local disk.
    pub async fn keeps(&self, id: &str) -> bool {
        let kept = self.spool.kept(&"s".parse().unwrap()).await.unwrap();
        kept.iter().any(|kept| {
            matches!(&kept.event.body, EventBody::UserMessage(it) if it.id == message_id(id))
        })
    }

    /// The session `s` and a client that has read what there is of it.
    pub async fn join(&self, sessions: &SessionManager) -> (SessionHandle, Client) {
        let session = open(sessions, "s").await;
        let mut client = Client::attach(&session, After::Start).await;
        client.read_for(Duration::from_millis(100)).await;
        (session, client)
    }

    /// Waits until everything is stored, checks the log of the session `s`, and that nothing is left
    /// on the local disk; gives what the log tells.
    pub async fn settled(&self) -> Vec<EventBody> {
        sleep(Duration::from_secs(10)).await;
        assert_eq!(self.spool.usage().events, 0);
        let log = events_of(&self.memory).await;
        check_log(&log);
        log.into_iter().map(|event| event.body).collect()
    }
}

/// A step in which the tool `note` is called.
pub fn note(millis: u64) -> Reply {
    Reply::calls([call("x", "note", json!({ "millis": millis }))])
}

/// Takes the store away from this machine.
pub fn away(bench: &Bench) {
    bench.store.set(Failure::Unavailable);
}

/// Runs processes one after the other; time goes on from one to the next.
#[derive(Default)]
pub struct Machine {
    now: Option<Instant>,
}

impl Machine {
    /// Runs a process until `process` is over. Then everything in it is dropped where it stands, as
    /// `kill -9` does.
    pub fn run<T>(&mut self, process: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let begin = self.now;
        let (result, end) = runtime.block_on(async {
            if let Some(begin) = begin {
                sleep_until(begin).await;
            }
            (process.await, Instant::now())
        });
        self.now = Some(end);
        result
    }
}

/// Answers one message, then two in an outage, the second of them only in part; and dies.
pub async fn dies_in_an_outage(bench: &Bench) {
    let sessions = bench.manager();
    let (session, mut client) = bench.join(&sessions).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;
    away(bench);
    say(&session, "m-2", "Hi").await;
    client.until_accepted("m-2").await;
    client.read_for(Duration::from_secs(1)).await;
    say(&session, "m-3", "Hi").await;
    client.until_accepted("m-3").await;
    client.until_token("3").await;
    client.read_for(Duration::from_secs(1)).await;
}

/// What the model says to [`dies_in_an_outage`].
pub fn script() -> [Reply; 3] {
    [
        Reply::text(["1"]),
        Reply::text(["2"]),
        Reply::of([text("3"), Step::Hang]),
    ]
}

/// The messages and the answers of a log, in order.
pub fn said(log: &[EventBody]) -> Vec<(&str, FinishReason)> {
    log.iter()
        .filter_map(|body| match body {
            EventBody::UserMessage(it) => Some((it.id.as_str(), FinishReason::Stop)),
            EventBody::AiResponse(it) => Some((it.content.as_str(), it.finish_reason)),
            _ => None,
        })
        .collect()
}
