//! Whatever happens to a session, and in whatever order: the log is whole, everybody saw it as it is,
//! and nothing that was acknowledged is lost.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what the tests share; one that cannot go on fails"
)]

use std::collections::HashSet;
use std::time::Duration;

use patter_llm::{FinishReason as ModelFinish, ModelEvent};
use patter_protocol::{
    ClientMessage, EventBody, LiveEvent, MessageId, ServerMessage, SessionId, UserInput,
};
use patter_session::{After, OpenOptions, Receipt, SessionHandle, SessionManager};
use patter_store::{SessionStore, Spool};
use patter_testkit::failing_store::Failure;
use patter_testkit::memory_spool::SpoolFailure;
use patter_testkit::scripted_model::{Reply, Step, call, finish, overloaded, text};
use proptest::prelude::*;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::support::bench::{Bench, Machine, note};
use crate::support::judge::{check_connection, check_log};
use crate::support::{Client, events_of, message, message_id};

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Act {
    Say {
        interrupts: bool,
        edits: bool,
    },
    SayAgain,
    Cancel,
    Regenerate,
    End,
    /// One of the readers attaches behind what it has, or detaches.
    Come(usize),
    Leave(usize),
    Wait(u64),
    Store(Failure),
    Spool(SpoolFailure),
    /// The process dies, and another one is started.
    Die,
    /// The process stops in good order, and another one is started.
    Stop,
    /// This machine is cut off, and a process elsewhere has the session for a while.
    TakeOver,
}

fn act() -> impl Strategy<Value = Act> {
    let failure = prop_oneof![
        3 => Just(Failure::None),
        1 => Just(Failure::Unavailable),
        1 => Just(Failure::Hang)
    ];
    let spool_failure = prop_oneof![
        3 => Just(SpoolFailure::None),
        1 => Just(SpoolFailure::Full),
        1 => Just(SpoolFailure::Unavailable),
        1 => Just(SpoolFailure::Hang)
    ];
    prop_oneof![
        6 => any::<(bool, bool)>().prop_map(|(interrupts, edits)| Act::Say { interrupts, edits }),
        2 => Just(Act::SayAgain),
        2 => Just(Act::Cancel),
        2 => Just(Act::Regenerate),
        1 => Just(Act::End),
        3 => (0_usize..2).prop_map(Act::Come),
        2 => (0_usize..2).prop_map(Act::Leave),
        5 => (0_u64..400).prop_map(Act::Wait),
        3 => (400_u64..70_000).prop_map(Act::Wait),
        4 => failure.prop_map(Act::Store),
        2 => spool_failure.prop_map(Act::Spool),
        1 => Just(Act::Die),
        1 => Just(Act::Stop),
        1 => Just(Act::TakeOver),
    ]
}

/// One of the ways in which a model behaves.
fn reply(kind: usize) -> Reply {
    let pause = |millis| Step::Pause(Duration::from_millis(millis));
    let tool = |millis| {
        Step::Say(ModelEvent::ToolCall(call(
            "x",
            "note",
            json!({ "millis": millis }),
        )))
    };
    let said = [text("a"), pause(50), text("b"), pause(50)];
    match kind {
        0 => Reply::of(said).then(finish(ModelFinish::Stop)),
        1 => note(100),
        2 => Reply::of([text("c"), pause(20), tool(10), tool(3_000)])
            .then(finish(ModelFinish::ToolCalls)),
        3 => Reply::of([pause(100), text("d"), pause(20_000), text("e")])
            .then(finish(ModelFinish::Stop)),
        4 => Reply::of(said).then(Step::Fail(overloaded())),
        5 => Reply::refused(overloaded()),
        _ => Reply::of([text("f"), Step::Panic]),
    }
}

struct Reader {
    client: Option<Client>,
    after: u64,
}

struct World {
    bench: Bench,
    readers: [Reader; 2],
    /// Where each connection began that is over, and what it saw.
    connections: Vec<(u64, Vec<ServerMessage>)>,
    acknowledged: HashSet<MessageId>,
    said: usize,
}

impl World {
    fn new(replies: &[usize]) -> Self {
        let replies = replies.iter().cycle().take(400).map(|kind| reply(*kind));
        Self {
            bench: Bench::new(replies),
            readers: [(); 2].map(|()| Reader {
                client: None,
                after: 0,
            }),
            connections: Vec::new(),
            acknowledged: HashSet::new(),
            said: 0,
        }
    }

    /// One process, to its end.
    async fn process(&mut self, acts: &[Act]) {
        let sessions = self.bench.manager();
        for act in acts {
            self.play(&sessions, *act).await;
        }
    }

    async fn play(&mut self, sessions: &SessionManager, act: Act) {
        match act {
            Act::Say { interrupts, edits } => {
                let last = self.said.checked_sub(1);
                let input = UserInput {
                    interrupt: interrupts,
                    replaces: last.filter(|_| edits).map(|last| message_id(&id(last))),
                    ..message(&id(self.said), "Hi")
                };
                self.said += 1;
                self.submit(sessions, ClientMessage::UserMessage(input))
                    .await;
            }
            Act::SayAgain => {
                if let Some(last) = self.said.checked_sub(1) {
                    let input = message(&id(last), "Hi");
                    self.submit(sessions, ClientMessage::UserMessage(input))
                        .await;
                }
            }
            Act::Cancel => {
                let cancel = ClientMessage::Cancel { response_id: None };
                self.submit(sessions, cancel).await;
            }
            Act::Regenerate => self.submit(sessions, ClientMessage::Regenerate).await,
            Act::End => self.submit(sessions, ClientMessage::End).await,
            Act::Come(at) => self.come(sessions, at).await,
            Act::Leave(at) => self.leave(at),
            Act::Wait(millis) => self.wait(Duration::from_millis(millis)).await,
            Act::Store(failure) => self.bench.store.set(failure),
            Act::Spool(failure) => self.bench.spool.set(failure),
            Act::Die => {}
            Act::Stop => sessions.shutdown(Duration::from_secs(5)).await,
            Act::TakeOver => self.take_over().await,
        }
    }

    async fn submit(&mut self, sessions: &SessionManager, message: ClientMessage) {
        let Some(session) = open(sessions).await else {
            return;
        };
        let done = timeout(Duration::from_secs(3), session.submit(message)).await;
        if let Ok(Ok(Receipt::Repeated(frame))) = done {
            self.acknowledge(&frame.message().unwrap());
        }
    }

    fn acknowledge(&mut self, message: &ServerMessage) {
        let id = match message {
            ServerMessage::Live(LiveEvent::Accepted(accepted)) => &accepted.id,
            ServerMessage::Durable(event) => match &event.body {
                EventBody::UserMessage(message) => &message.id,
                _ => return,
            },
            ServerMessage::Live(_) => return,
        };
        self.acknowledged.insert(id.clone());
    }

    async fn come(&mut self, sessions: &SessionManager, at: usize) {
        let reader = &mut self.readers[at];
        if reader.client.is_none()
            && let Some(session) = open(sessions).await
        {
            let after = After::Seq {
                seq: reader.after,
                epoch: None,
            };
            let attaching = timeout(Duration::from_secs(3), session.attach(after)).await;
            reader.client = attaching.ok().and_then(Result::ok).map(Client::new);
        }
    }

    fn leave(&mut self, at: usize) {
        let reader = &mut self.readers[at];
        if let Some(client) = reader.client.take() {
            let began = reader.after;
            let last = client.durable().last().map(|event| event.seq);
            reader.after = last.unwrap_or(began);
            self.saw(began, client.seen);
        }
    }

    fn saw(&mut self, began: u64, seen: Vec<ServerMessage>) {
        for message in &seen {
            self.acknowledge(message);
        }
        self.connections.push((began, seen));
    }

    async fn wait(&mut self, time: Duration) {
        let [one, two] = &mut self.readers;
        let read = async |reader: &mut Reader| match &mut reader.client {
            Some(client) => client.read_for(time).await,
            None => {
                sleep(time).await;
                true
            }
        };
        let are_open = tokio::join!(read(one), read(two));
        for (at, is_open) in [are_open.0, are_open.1].into_iter().enumerate() {
            if !is_open {
                self.leave(at);
            }
        }
    }

    async fn take_over(&mut self) {
        self.bench.store.set(Failure::Unavailable);
        self.wait(Duration::from_secs(16)).await;
        let elsewhere = self.bench.elsewhere(&self.bench.model);
        let session = open(&elsewhere).await.unwrap();
        let mut client = Client::attach(&session, After::Start).await;
        let input = message(&id(self.said), "Hi");
        self.said += 1;
        session
            .submit(ClientMessage::UserMessage(input))
            .await
            .unwrap();
        client.read_for(Duration::from_secs(10)).await;
        elsewhere.shutdown(Duration::from_secs(5)).await;
        self.saw(0, client.seen);
        self.bench.store.set(Failure::None);
    }

    /// Everything works again, everybody is gone, and time passes.
    async fn settle(&mut self) {
        self.bench.store.set(Failure::None);
        self.bench.spool.set(SpoolFailure::None);
        let sessions = self.bench.manager();
        sleep(Duration::from_secs(1_800)).await;
        assert!(sessions.is_recovered());
        assert_eq!(sessions.live_count(), 0);
    }

    async fn judge(&self) {
        assert_eq!(self.bench.spool.usage().events, 0);
        let log = events_of(&self.bench.memory).await;
        check_log(&log);
        for (after, seen) in &self.connections {
            check_connection(&log, *after, seen);
        }
        let stored: HashSet<_> = log
            .iter()
            .filter_map(|event| match &event.body {
                EventBody::UserMessage(message) => Some(message.id.clone()),
                _ => None,
            })
            .collect();
        let lost: Vec<_> = self.acknowledged.difference(&stored).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        let record = self.bench.memory.session(&session_id()).await.unwrap();
        assert!(record.is_none_or(|record| !record.is_active));
        let runs = self.bench.runs.lock().unwrap().clone();
        let calls: HashSet<_> = runs.iter().collect();
        assert_eq!(calls.len(), runs.len(), "a tool ran twice");
    }
}

fn id(number: usize) -> String {
    format!("m-{number}")
}

fn session_id() -> SessionId {
    "s".parse().unwrap()
}

/// The session, if it can be had soon.
async fn open(sessions: &SessionManager) -> Option<SessionHandle> {
    let opening = sessions.open(session_id(), OpenOptions::default());
    timeout(Duration::from_secs(4), opening).await.ok()?.ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_is_whole_and_everybody_saw_it_as_it_is(
        acts in prop::collection::vec(act(), 1..40),
        replies in prop::collection::vec(0_usize..7, 1..8),
    ) {
        let mut world = World::new(&replies);
        let mut machine = Machine::default();
        for process in acts.split_inclusive(|act| matches!(act, Act::Die | Act::Stop)) {
            machine.run(world.process(process));
            world.leave(0);
            world.leave(1);
        }
        machine.run(world.settle());
        machine.run(world.judge());
    }
}
