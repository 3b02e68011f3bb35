//! What readers get: everything, in order, once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share; one that cannot go on fails"
)]

use futures_util::{FutureExt, StreamExt, stream};
use patter_llm::FinishReason as ModelFinish;
use patter_protocol::{
    ClientMessage, CloseCode, ErrorCode, EventBody, LiveEvent, NoticeCode, ServerMessage,
    SessionReady,
};
use patter_session::{After, Delivery, OpenOptions, Refusal, SessionError, SessionSettings};
use patter_store::SessionStore;
use patter_testkit::failing_store::{FailingStore, Failure};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Gate, Reply, ScriptedModel, Step, finish, text};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{self, Client, durable, manager, message_id, open, say};

fn ready(message: &ServerMessage) -> &SessionReady {
    match message {
        ServerMessage::Live(LiveEvent::SessionReady(ready)) => ready,
        other => panic!("{other:?}"),
    }
}

fn notices(client: &Client) -> Vec<NoticeCode> {
    client
        .seen
        .iter()
        .filter_map(|message| match message {
            ServerMessage::Live(LiveEvent::Notice(notice)) => Some(notice.code),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_nobody_asks_keeps_no_connection_of_the_store() {
    let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
    let model = ScriptedModel::default();
    let sessions = manager(Arc::clone(&store), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    client.read_for(Duration::from_millis(100)).await;
    let attachment = session.attach(After::Start).await.unwrap();
    let mut deliveries = pin!(stream::unfold(attachment, |mut attachment| async {
        Some((attachment.next().await, attachment))
    }));
    deliveries.next().await.unwrap();

    store.set(Failure::Hang);
    assert!(deliveries.next().now_or_never().is_none());
    tokio::task::yield_now().await;
    assert_eq!(store.hanging(), 1);
    store.set(Failure::None);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(store.hanging(), 0);
    let Some(Delivery::Frame(frame)) = deliveries.next().await else {
        panic!()
    };
    assert_eq!(frame.seq(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn every_reader_sees_every_event() {
    let model = ScriptedModel::new([Reply::text(["a", "b"])]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut one = Client::attach(&session, After::Start).await;
    let mut two = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    one.until_answer().await;
    two.until_answer().await;
    assert_eq!(one.durable(), two.durable());
    assert_eq!(
        (one.tokens(), two.tokens()),
        ("ab".to_owned(), "ab".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_in_mid_answer_gets_the_log_a_snapshot_and_the_rest() {
    let gate = Gate::default();
    let model = ScriptedModel::new([Reply::of([
        text("Once "),
        text("upon "),
        Step::Wait(gate.clone()),
        text("a time."),
        finish(ModelFinish::Stop),
    ])]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut first = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Tell").await;
    first.until_token("upon ").await;

    let mut late = Client::attach(&session, After::Start).await;
    late.until(|it| {
        matches!(it, ServerMessage::Live(LiveEvent::ResponseSnapshot(_))).then_some(())
    })
    .await;
    assert_eq!(
        late.types(),
        [
            "session_ready",
            "session_started",
            "user_message",
            "response_snapshot"
        ]
    );
    gate.open();
    assert_eq!(late.until_answer().await.content, "Once upon a time.");
    assert_eq!(late.tokens(), "Once upon a time.");
    let ServerMessage::Live(LiveEvent::ResponseSnapshot(snapshot)) = &late.seen[3] else {
        panic!()
    };
    assert_eq!(
        (snapshot.index, &snapshot.message_id),
        (1, &message_id("m-1"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_back_gets_what_is_behind_after_and_nothing_else() {
    let model = ScriptedModel::new([Reply::text(["1"]), Reply::text(["2"])]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let epoch = ready(&client.next().await.unwrap()).epoch;
    for id in ["m-1", "m-2"] {
        say(&session, id, "Hi").await;
        client.until_answer().await;
    }
    let all = client.durable();
    for seq in 0..=5 {
        let after = After::Seq {
            seq,
            epoch: Some(epoch),
        };
        let mut back = Client::attach(&session, after).await;
        assert!(!ready(&back.next().await.unwrap()).reset);
        for _ in seq..5 {
            back.next().await.unwrap();
        }
        assert_eq!(back.durable(), all[usize::try_from(seq).unwrap()..]);
    }
    let other_epoch = patter_protocol::LogEpoch::generate();
    for after in [
        After::Seq {
            seq: 6,
            epoch: Some(epoch),
        },
        After::Seq {
            seq: 3,
            epoch: Some(other_epoch),
        },
    ] {
        let mut back = Client::attach(&session, after).await;
        assert!(ready(&back.next().await.unwrap()).reset);
        for _ in 0..5 {
            back.next().await.unwrap();
        }
        assert_eq!(back.durable(), all);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_does_not_read_is_dropped_and_delays_nobody() {
    // All of it once as pieces and once as the answer is more than a queue holds, and each by itself is not.
    let page = "x".repeat(1024);
    let pieces: Vec<String> = (0..650).map(|n| format!("{n} {page} ")).collect();
    let model = ScriptedModel::new([Reply::text(pieces.iter().map(String::as_str))]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut asleep = Client::attach(&session, After::Start).await;
    let mut awake = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Count").await;
    let answer = awake.until_answer().await;
    assert_eq!(answer.content, pieces.concat());
    assert_eq!(asleep.until_closed().await, CloseCode::TooSlow);
    // It comes back and has missed nothing.
    let mut back = Client::attach(&session, After::Start).await;
    assert_eq!(back.until_answer().await, answer);
}

#[tokio::test(start_paused = true)]
async fn so_many_readers_are_taken_and_no_more() {
    let mut settings = SessionSettings::default();
    settings.max_readers = 1;
    let sessions = manager(MemoryStore::default(), &ScriptedModel::default(), settings);
    let session = open(&sessions, "s").await;
    let first = Client::attach(&session, After::Start).await;
    let refused = session.attach(After::Start).await.unwrap_err();
    assert!(
        matches!(refused, SessionError::TooManyReaders { limit: 1, .. }),
        "{refused}"
    );
    drop(first);
    // That it left is noticed in a moment.
    tokio::time::sleep(Duration::from_millis(1)).await;
    Client::attach(&session, After::Start).await;
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_an_answer_streams_on_and_is_stored_when_it_is_back() {
    let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
    let gate = Gate::default();
    let model = ScriptedModel::new([
        Reply::of([
            text("a"),
            Step::Wait(gate.clone()),
            text("b"),
            finish(ModelFinish::Stop),
        ]),
        Reply::text(["again"]),
    ]);
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_token("a").await;
    client
        .until(|it| matches!(durable(it), Some(EventBody::UserMessage(_))).then_some(()))
        .await;
    store.set(Failure::Unavailable);
    gate.open();
    client.until_token("b").await;
    client
        .until(|it| matches!(it, ServerMessage::Live(LiveEvent::Notice(_))).then_some(()))
        .await;
    assert_eq!(notices(&client), [NoticeCode::StoreDegraded]);
    let refused = session.say("Are you there?").await.unwrap_err();
    let Refusal::Refused(event) = refused else {
        panic!()
    };
    assert_eq!(event.code, ErrorCode::StoreUnavailable);
    let refused = session.submit(ClientMessage::Regenerate).await.unwrap_err();
    let Refusal::Refused(event) = refused else {
        panic!()
    };
    assert_eq!(event.code, ErrorCode::StoreUnavailable);
    let repeated = ClientMessage::UserMessage(support::message("m-1", "Hi"));
    let refused = session.submit(repeated).await.unwrap_err();
    let Refusal::Refused(event) = refused else {
        panic!()
    };
    assert_eq!(event.message_id, Some(message_id("m-1")));
    tokio::time::sleep(Duration::from_secs(60)).await;
    // As while somebody changes its password.
    store.set(Failure::Unusable);
    tokio::time::sleep(Duration::from_secs(60)).await;
    store.set(Failure::None);
    assert_eq!(client.until_answer().await.content, "ab");
    client
        .until(|it| matches!(it, ServerMessage::Live(LiveEvent::Notice(_))).then_some(()))
        .await;
    assert_eq!(
        notices(&client),
        [NoticeCode::StoreDegraded, NoticeCode::StoreRecovered]
    );
    say(&session, "m-2", "Hi").await;
    assert_eq!(client.until_answer().await.content, "again");
    let seqs: Vec<u64> = client.durable().iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_opens_no_session_and_says_so() {
    let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
    store.set(Failure::Unavailable);
    let model = ScriptedModel::new([Reply::text(["Hi."])]);
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let options = OpenOptions::default();
    let error = sessions
        .open("s".parse().unwrap(), options)
        .await
        .unwrap_err();
    assert!(
        matches!(error, SessionError::StoreUnavailable(_)),
        "{error}"
    );
    store.set(Failure::None);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    assert_eq!(client.until_answer().await.content, "Hi.");
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_was_replaced_lets_its_readers_go() {
    let store = MemoryStore::default();
    let cut_off = Arc::new(FailingStore::new(Arc::new(store.clone())));
    let one = manager(
        Arc::clone(&cut_off),
        &ScriptedModel::default(),
        SessionSettings::default(),
    );
    let model = ScriptedModel::new([Reply::text(["Mine."])]);
    let two = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&one, "s").await;
    let mut left_behind = Client::attach(&session, After::Start).await;
    left_behind.next().await.unwrap();

    let refused = two.open("s".parse().unwrap(), OpenOptions::default()).await;
    assert!(
        matches!(refused, Err(SessionError::Owned { .. })),
        "{refused:?}"
    );
    cut_off.set(Failure::Unavailable);
    tokio::time::sleep(Duration::from_secs(16)).await;
    let taken_over = open(&two, "s").await;
    cut_off.set(Failure::None);
    assert_eq!(left_behind.until_closed().await, CloseCode::Moved);
    let mut client = Client::attach(&taken_over, After::Start).await;
    say(&taken_over, "m-1", "Hi").await;
    assert_eq!(client.until_answer().await.content, "Mine.");
    assert_log_is_sound(&store).await;
}

async fn assert_log_is_sound(store: &impl SessionStore) {
    let query = patter_store::EventQuery {
        after: 0,
        limit: 1_000,
        types: Vec::new(),
    };
    let log = store.events(&"s".parse().unwrap(), query).await.unwrap();
    let seqs: Vec<u64> = log.iter().map(|stored| stored.event.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_lags_gets_the_same_text_in_fewer_pieces() {
    let pieces: Vec<String> = (0..3_000).map(|n| format!("{n} ")).collect();
    let count = Reply::text(pieces.iter().map(String::as_str));
    let model = ScriptedModel::new([count]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut lags = Client::attach(&session, After::Start).await;
    let mut keeps_up = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Count").await;
    let answer = keeps_up.until_answer().await;
    assert_eq!(lags.until_answer().await, answer);
    let tokens: Vec<_> = lags
        .seen
        .iter()
        .filter_map(|message| match message {
            ServerMessage::Live(LiveEvent::Token(token)) => Some(token),
            _ => None,
        })
        .collect();
    assert!(tokens.len() < 1_000, "{} pieces", tokens.len());
    let text: String = tokens.iter().map(|token| token.content.as_str()).collect();
    assert_eq!(text, answer.content);
    let mut next = 0;
    for token in &tokens {
        next += u64::from(token.count.unwrap_or(1));
        assert_eq!(token.index + 1, next);
    }
    assert_eq!(next, 3_000);
}
