//! How a manager shuts down.

use std::time::Duration;

use patter_llm::FinishReason as ModelFinish;
use patter_protocol::{CloseCode, EndReason, EventBody, FinishReason};
use patter_session::{After, OpenOptions, SessionError, SessionSettings};
use patter_store::{EventQuery, SessionStore};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Gate, Reply, ScriptedModel, Step, finish, text};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{Client, log_of, manager, open, say};

#[tokio::test(start_paused = true)]
async fn shutting_down_lets_answers_finish_and_hands_everything_over() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::of([
        text("a"),
        Step::Pause(Duration::from_secs(3)),
        text("b"),
        finish(ModelFinish::Stop),
    ])]);
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_token("a").await;
    open(&sessions, "idle").await;
    let begun = Instant::now();
    let (code, ()) = tokio::join!(
        client.until_closed(),
        sessions.shutdown(Duration::from_secs(30))
    );
    assert_eq!(code, CloseCode::Restart);
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert!(client.types().contains(&"notice".to_owned()));
    assert!(!log_of(&store).await.iter().any(is_end));
    let refused = sessions
        .open("s".parse().unwrap(), OpenOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(refused, SessionError::Draining), "{refused}");

    // Whoever is asked for one next goes on with it; nobody waits for a lease.
    let next = manager(store.clone(), &model, SessionSettings::default());
    let begun = Instant::now();
    let session = open(&next, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-2", "Again").await;
    client.until_answer().await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    // The other one is finalized, since nobody came back to it.
    tokio::time::sleep(Duration::from_secs(40)).await;
    let idle = store
        .session(&"idle".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert!(!idle.is_active);
    let query = EventQuery {
        after: idle.last_seq - 1,
        limit: 1,
        types: Vec::new(),
    };
    let last = store
        .events(&idle.session_id, query)
        .await
        .unwrap()
        .remove(0);
    let EventBody::SessionEnded(end) = last.event.body else {
        panic!("{last:?}")
    };
    assert_eq!(end.reason, EndReason::Shutdown);
}

fn is_end(body: &EventBody) -> bool {
    matches!(body, EventBody::SessionEnded(_))
}

#[tokio::test(start_paused = true)]
async fn sessions_are_handed_over_one_after_the_other() {
    let settings = SessionSettings::default();
    let sessions = manager(MemoryStore::default(), &ScriptedModel::default(), settings);
    let mut clients = JoinSet::new();
    for name in 0..600 {
        let session = open(&sessions, &format!("s-{name}")).await;
        let mut client = Client::attach(&session, After::Start).await;
        clients.spawn(async move {
            assert_eq!(client.until_closed().await, CloseCode::Restart);
            Instant::now()
        });
    }
    let begun = Instant::now();
    sessions.shutdown(Duration::from_secs(25)).await;
    let mut left: Vec<_> = clients.join_all().await;
    left.sort();
    let last = left[599] - begun;
    assert!(last <= Duration::from_secs(5), "{last:?}");
    for window in left.windows(61) {
        assert!(window[60] - window[0] > Duration::from_millis(100));
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_whose_answers_end_at_the_same_moment_are_not_handed_over_at_the_same_moment() {
    let gate = Gate::default();
    let answer = Reply::of([
        text("a"),
        Step::Wait(gate.clone()),
        finish(ModelFinish::Stop),
    ]);
    let model = ScriptedModel::new(vec![answer; 300]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let mut clients = JoinSet::new();
    for name in 0..300 {
        let session = open(&sessions, &format!("s-{name}")).await;
        let mut client = Client::attach(&session, After::Start).await;
        say(&session, "m-1", "Hi").await;
        client.until_token("a").await;
        clients.spawn(async move {
            assert_eq!(client.until_closed().await, CloseCode::Restart);
            Instant::now()
        });
    }
    let answers_end = async {
        tokio::time::sleep(Duration::from_secs(6)).await;
        gate.open();
    };
    tokio::join!(sessions.shutdown(Duration::from_secs(25)), answers_end);
    let mut left: Vec<_> = clients.join_all().await;
    left.sort();
    for window in left.windows(61) {
        assert!(window[60] - window[0] > Duration::from_millis(100));
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_a_hurry_interrupts_answers_and_keeps_what_they_said() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::of([text("Half"), Step::Hang])]);
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "a").await;
    client.until_token("Half").await;
    let begun = Instant::now();
    let hurry = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        sessions.hurry();
    };
    tokio::join!(sessions.shutdown(Duration::from_secs(25)), hurry);
    assert_eq!(begun.elapsed().as_secs(), 1);
    assert_eq!(client.until_closed().await, CloseCode::Restart);
    let Some(EventBody::AiResponse(answer)) = log_of(&store).await.pop() else {
        panic!()
    };
    assert_eq!(
        (answer.content.as_str(), answer.finish_reason),
        ("Half", FinishReason::Interrupted)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_is_left_that_was_opened_while_the_shutdown_began() {
    for round in 0..1_000 {
        let settings = SessionSettings::default();
        let sessions = manager(MemoryStore::default(), &ScriptedModel::default(), settings);
        let mut opening = JoinSet::new();
        for name in ["a", "b", "c", "d"] {
            let sessions = sessions.clone();
            opening.spawn(async move {
                let options = OpenOptions::default();
                sessions.open(name.parse().unwrap(), options).await.err()
            });
        }
        for _ in 0..round % 200 {
            std::hint::spin_loop();
        }
        sessions.shutdown(Duration::from_secs(5)).await;
        assert_eq!(sessions.live_count(), 0, "round {round}");
        for refused in opening.join_all().await.into_iter().flatten() {
            assert!(matches!(refused, SessionError::Draining), "{refused}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_longer_than_shutting_down_may_is_interrupted_and_kept() {
    let store = MemoryStore::default();
    let gate = Gate::default();
    let model = ScriptedModel::new([Reply::of([text("Half"), Step::Wait(gate)])])
        .with_summary(Reply::of([Step::Hang]));
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "a").await;
    say(&session, "m-2", "b").await;
    client.until_token("Half").await;
    let begun = Instant::now();
    sessions.shutdown(Duration::from_secs(10)).await;
    assert_eq!(begun.elapsed().as_secs(), 6);
    assert_eq!(client.until_closed().await, CloseCode::Restart);
    let ends: Vec<_> = log_of(&store)
        .await
        .into_iter()
        .filter_map(|body| match body {
            EventBody::AiResponse(it) => Some((it.content, it.finish_reason)),
            _ => None,
        })
        .collect();
    assert_eq!(
        ends,
        [
            ("Half".to_owned(), FinishReason::Interrupted),
            (String::new(), FinishReason::Interrupted)
        ]
    );
    assert!(!log_of(&store).await.iter().any(is_end));
}

#[tokio::test]
async fn a_model_that_never_stops_does_not_hold_up_the_shutdown() {
    let endless = std::iter::repeat_n(text("x"), 5_000_000);
    let model = ScriptedModel::new([Reply::of(endless)]);
    let store = MemoryStore::default();
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    say(&session, "m-1", "a").await;
    sessions.shutdown(Duration::from_millis(500)).await;
    assert!(!log_of(&store).await.iter().any(is_end));
}
