//! Attaching against telling, under a scheduler that tries the orders in which the two can fall: the
//! reader gets every stored event once and in order, and text that is exactly the answer's.
//!
//! The readers, their queues and the attachment are the real ones. The session and its store are
//! reduced to what matters here: the session stores, then tells, and takes readers in between; each
//! call of the store may take any time, before and after it has its effect.

mod slow;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use patter_protocol::{
    AiResponse, CloseCode, DurableEvent, EventBody, FinishReason, LiveEvent, MessageId, Pong,
    ResponseId, ResponseSnapshot, ServerMessage, SessionId, SessionStarted, Timing, Token, Usage,
};
use patter_store::{Append, EventQuery, Fence, NewEvent, NewSession, Owner, SessionStore};
use patter_testkit::memory_store::MemoryStore;
use shuttle::future::{block_on, spawn, yield_now};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::Readers;
use crate::attachment::{Attached, Attachment, Delivery};
use crate::frame::Frame;
use crate::reader;
use slow::Slow;

/// What the session can be asked.
enum Ask {
    /// Take a reader in that has everything up to and including this; where it is left out, one that
    /// gets nothing but what happens from now on.
    Attach(Option<u64>, oneshot::Sender<Attached>),
    /// How far the log goes.
    LastSeq(oneshot::Sender<u64>),
}

/// The session: stores and tells what its script says.
struct Teller {
    store: Arc<Slow>,
    session_id: SessionId,
    fence: Fence,
    last_seq: u64,
    readers: Readers,
    inbox: mpsc::Receiver<Ask>,
    /// The answer in flight: its id, the index of its last piece, and its text.
    answer: Option<(ResponseId, i64, String)>,
    /// Goes out behind each piece.
    noise: Option<Frame>,
}

impl Teller {
    /// Two answers of two pieces each, with an event in their midst.
    async fn run(mut self) {
        self.store_event(EventBody::SessionStarted(SessionStarted::default()))
            .await;
        for _ in 0..2 {
            self.answer = Some((ResponseId::generate(), -1, String::new()));
            self.say("a").await;
            self.store_event(EventBody::SessionStarted(SessionStarted::default()))
                .await;
            self.say("b").await;
            let (response_id, _, content) = self.answer.take().unwrap();
            self.store_event(ai_response(response_id, content)).await;
        }
        self.readers.close_all(CloseCode::Normal);
        while let Some(ask) = self.inbox.recv().await {
            self.take(ask);
            self.readers.close_all(CloseCode::Normal);
        }
    }

    /// Stores an event, and takes readers in while it is under way.
    async fn store_event(&mut self, body: EventBody) {
        let event = NewEvent::now(body);
        let append = Append {
            session_id: self.session_id.clone(),
            fence: self.fence,
            events: vec![event.clone()],
        };
        let store = Arc::clone(&self.store);
        let mut write = Box::pin(async move { store.append(vec![append]).await });
        loop {
            tokio::select! {
                biased;
                Some(ask) = self.inbox.recv() => self.take(ask),
                () = self.readers.one_gone(), if self.readers.watches_any() => {}
                places = &mut write => {
                    assert_eq!(places.len(), 1);
                    break;
                }
            }
        }
        self.last_seq += 1;
        self.readers
            .send(&Frame::durable(event.at_seq(self.last_seq)));
    }

    async fn say(&mut self, piece: &str) {
        yield_now().await;
        while let Ok(ask) = self.inbox.try_recv() {
            self.take(ask);
        }
        let (response_id, index, text) = self.answer.as_mut().unwrap();
        *index += 1;
        text.push_str(piece);
        let token = Token {
            response_id: *response_id,
            index: (*index).try_into().unwrap(),
            content: piece.to_owned(),
            count: None,
        };
        self.readers.send_piece(&token, Instant::now());
        if let Some(noise) = &self.noise {
            self.readers.send(noise);
        }
    }

    fn take(&mut self, ask: Ask) {
        // Whoever asked may have left.
        match ask {
            Ask::LastSeq(reply) => {
                let _gone = reply.send(self.last_seq);
            }
            Ask::Attach(after, reply) => {
                let (reader, gone, live) = reader::queue();
                self.readers.add(reader, gone);
                let snapshot = self.answer.as_ref().map(|(response_id, index, content)| {
                    Frame::live(LiveEvent::ResponseSnapshot(ResponseSnapshot {
                        response_id: *response_id,
                        message_id: message_id(),
                        index: *index,
                        content: content.clone(),
                        parts: Vec::new(),
                    }))
                });
                let _gone = reply.send(Attached {
                    ready: Frame::live(LiveEvent::Pong(Pong { nonce: None })),
                    replay_after: after.unwrap_or(self.last_seq),
                    replay_to: self.last_seq,
                    after_replay: snapshot.into_iter().collect(),
                    live,
                });
            }
        }
    }
}

fn message_id() -> MessageId {
    "m-1".to_owned().try_into().unwrap()
}

fn ai_response(response_id: ResponseId, content: String) -> EventBody {
    EventBody::AiResponse(AiResponse {
        response_id,
        message_id: message_id(),
        content,
        parts: Vec::new(),
        finish_reason: FinishReason::Stop,
        model: "m".to_owned(),
        provider: "p".to_owned(),
        route: None,
        usage: Usage::default(),
        cost_usd: None,
        timing: Timing::default(),
        supersedes: None,
        superseded: false,
    })
}

/// In which order a reader reads the log and is taken in.
#[derive(Clone, Copy)]
enum Order {
    AttachThenRead,
    /// As it must not be.
    ReadThenAttach,
}

/// A reader, and what it has.
struct Watcher {
    store: Arc<Slow>,
    session_id: SessionId,
    inbox: mpsc::Sender<Ask>,
    seq: u64,
    /// The answer in flight: its id, the index of its next piece, and its text.
    answer: Option<(ResponseId, i64, String)>,
    /// How often any was too slow.
    too_slow: Arc<AtomicUsize>,
}

impl Watcher {
    /// Reads to the end, and comes back as often as it is too slow. If it is `lazy`, it stops reading
    /// for a while after each event.
    async fn run(mut self, order: Order, lazy: bool) {
        while self.seq < LAST_SEQ {
            let after = match order {
                Order::AttachThenRead => Some(self.seq),
                Order::ReadThenAttach => {
                    self.read().await;
                    None
                }
            };
            let attached = self.ask(|reply| Ask::Attach(after, reply)).await;
            let store = Arc::clone(&self.store) as Arc<dyn SessionStore>;
            let attachment = Attachment::new(self.session_id.clone(), store, attached);
            match self.follow(attachment, lazy).await {
                CloseCode::TooSlow => {
                    self.too_slow.fetch_add(1, Ordering::Relaxed);
                }
                code => assert_eq!((code, self.seq), (CloseCode::Normal, LAST_SEQ)),
            }
        }
    }

    async fn follow(&mut self, mut attachment: Attachment, lazy: bool) -> CloseCode {
        self.answer = None;
        let ready = attachment.next().await;
        assert!(matches!(ready, Delivery::Frame(frame) if frame.seq().is_none()));
        loop {
            if lazy {
                for _ in 0..4 {
                    yield_now().await;
                }
            }
            match attachment.next().await {
                Delivery::Frame(frame) if frame.bytes().len() > NOISE_BYTES => {}
                Delivery::Frame(frame) => self.take(frame.message().unwrap()),
                Delivery::Closed(code) => return code,
            }
        }
    }

    fn take(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Durable(event) => self.take_durable(event),
            ServerMessage::Live(LiveEvent::ResponseSnapshot(it)) => {
                self.answer = Some((it.response_id, it.index + 1, it.content));
            }
            ServerMessage::Live(LiveEvent::Token(token)) => {
                let start = || (token.response_id, 0, String::new());
                let (id, next, text) = self.answer.get_or_insert_with(start);
                let last = i64::try_from(token.index).unwrap();
                let count = i64::from(token.count.unwrap_or(1));
                assert_eq!((*id, *next), (token.response_id, last - count + 1));
                *next = last + 1;
                text.push_str(&token.content);
            }
            ServerMessage::Live(other) => panic!("{other:?}"),
        }
    }

    fn take_durable(&mut self, event: DurableEvent) {
        self.seq += 1;
        assert_eq!(event.seq, self.seq, "a gap, or twice the same");
        if let EventBody::AiResponse(answer) = event.body
            && let Some((id, _, text)) = self.answer.take()
        {
            assert_eq!((id, text), (answer.response_id, answer.content));
        }
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> T {
        let (reply, answer) = oneshot::channel();
        assert!(self.inbox.send(question(reply)).await.is_ok());
        answer.await.unwrap()
    }

    /// Reads what is stored by now.
    async fn read(&mut self) {
        let last_seq = self.ask(Ask::LastSeq).await;
        while self.seq < last_seq {
            let query = EventQuery {
                after: self.seq,
                limit: 1,
                types: Vec::new(),
            };
            for stored in self.store.events(&self.session_id, query).await.unwrap() {
                self.take_durable(stored.event);
            }
        }
    }
}

/// How many events the session stores.
const LAST_SEQ: u64 = 5;
/// Two frames of noise are more than a queue holds.
const NOISE_BYTES: usize = 600_000;

/// One session, a reader that keeps up and one that is lazy.
async fn play(order: Order, noise: Option<Frame>, too_slow: Arc<AtomicUsize>) {
    let memory = MemoryStore::default();
    let session_id: SessionId = "s".parse().unwrap();
    let session = NewSession {
        session_id: session_id.clone(),
        user_id: None,
        metadata: patter_protocol::JsonObject::new(),
    };
    let owner = Owner {
        id: "one".to_owned(),
        lease: Duration::from_secs(3_600),
        linger: Duration::from_secs(30),
    };
    let fence = memory.claim(session, &owner).await.unwrap().fence;
    let store = Arc::new(Slow(memory));
    let (sender, inbox) = mpsc::channel(1);
    let watchers = [false, true].map(|lazy| {
        let watcher = Watcher {
            store: Arc::clone(&store),
            session_id: session_id.clone(),
            inbox: sender.clone(),
            seq: 0,
            answer: None,
            too_slow: Arc::clone(&too_slow),
        };
        spawn(watcher.run(order, lazy))
    });
    let teller = Teller {
        store,
        session_id,
        fence,
        last_seq: 0,
        readers: Readers::default(),
        inbox,
        answer: None,
        noise,
    };
    drop(sender);
    let telling = spawn(teller.run());
    telling.await.unwrap();
    for watcher in watchers {
        watcher.await.unwrap();
    }
}

/// Gives how often a reader was too slow.
fn explore(scheduler: impl Scheduler + 'static, order: Order, noise: Option<Frame>) -> usize {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.failure_persistence = FailurePersistence::None;
    let too_slow = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&too_slow);
    Runner::new(scheduler, config)
        .run(move || block_on(play(order, noise.clone(), Arc::clone(&counted))));
    too_slow.load(Ordering::Relaxed)
}

#[test]
fn nothing_is_missed_and_nothing_comes_twice_however_an_attaching_falls() {
    explore(RandomScheduler::new(2_000), Order::AttachThenRead, None);
    explore(PctScheduler::new(3, 2_000), Order::AttachThenRead, None);
}

#[test]
fn nor_when_a_reader_is_too_slow_and_comes_back() {
    let noise = Frame::live(LiveEvent::Pong(Pong {
        nonce: Some("x".repeat(NOISE_BYTES)),
    }));
    let random = explore(
        RandomScheduler::new(1_000),
        Order::AttachThenRead,
        Some(noise.clone()),
    );
    let pct = explore(
        PctScheduler::new(3, 1_000),
        Order::AttachThenRead,
        Some(noise),
    );
    assert!(random > 100 && pct > 100, "{random} {pct}");
}

#[test]
fn the_wrong_order_is_found_out() {
    let wrong = || explore(RandomScheduler::new(3_000), Order::ReadThenAttach, None);
    catch_unwind(AssertUnwindSafe(wrong)).unwrap_err();
}
