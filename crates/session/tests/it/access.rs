//! Who opens with `only_own` gets no session of anybody else, and does nothing to it either.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::sync::Arc;
use std::time::Duration;

use patter_protocol::{ClientMessage, EventBody};
use patter_session::{
    After, OpenOptions, SessionError, SessionHandle, SessionManager, SessionSettings,
};
use patter_store::SessionStore;
use patter_testkit::failing_store::Failure;
use patter_testkit::scripted_model::{Reply, ScriptedModel};
use tokio::time::{Instant, sleep};

use crate::support::bench::Bench;
use crate::support::{Client, log_of, say};

fn of(user: Option<&str>) -> OpenOptions {
    OpenOptions {
        user_id: user.map(str::to_owned),
        only_own: true,
        ..OpenOptions::default()
    }
}

async fn open_as(
    sessions: &SessionManager,
    user: Option<&str>,
) -> Result<SessionHandle, SessionError> {
    sessions.open("s".parse().unwrap(), of(user)).await
}

fn assert_not_yours<T: std::fmt::Debug>(answer: &Result<T, SessionError>) {
    assert!(
        matches!(answer, Err(SessionError::NotYours { .. })),
        "{answer:?}"
    );
}

/// A session of ada, in which something was said, and which is over where that is wanted.
async fn adas(bench: &Bench, sessions: &SessionManager, is_over: bool) -> (SessionHandle, Client) {
    let session = open_as(sessions, Some("ada")).await.unwrap();
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;
    if is_over {
        session.submit(ClientMessage::End).await.unwrap();
        client.until_closed().await;
    }
    bench.settled().await;
    (session, client)
}

#[tokio::test(start_paused = true)]
async fn a_live_session_is_refused_to_strangers_and_open_to_its_owner() {
    let bench = Bench::new([Reply::text(["Hello."])]);
    let sessions = bench.manager();
    let (_session, _client) = adas(&bench, &sessions, false).await;
    let log = log_of(&bench.memory).await;
    for stranger in [Some("eve"), Some(""), None] {
        assert_not_yours(&open_as(&sessions, stranger).await);
    }
    assert_eq!(log_of(&bench.memory).await, log);
    open_as(&sessions, Some("ada")).await.unwrap();
    // Who does not say whose sessions it wants gets everybody's.
    let anybodys = sessions.open("s".parse().unwrap(), OpenOptions::default());
    anybodys.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_finalized_session_is_not_claimed_begun_anew_or_summarized_for_a_stranger() {
    let bench = Bench::new([Reply::text(["Hello."])]);
    let sessions = bench.manager();
    adas(&bench, &sessions, true).await;
    let log = log_of(&bench.memory).await;
    let record = || async { bench.memory.session(&"s".parse().unwrap()).await.unwrap() };
    let before = record().await;
    let asked = bench.model.requests().len();
    for stranger in [Some("eve"), None] {
        assert_not_yours(&open_as(&sessions, stranger).await);
    }
    sleep(Duration::from_secs(120)).await;
    assert_eq!(log_of(&bench.memory).await, log);
    assert_eq!(record().await, before);
    assert_eq!(bench.model.requests().len(), asked);
    assert_eq!(sessions.live_count(), 0);

    open_as(&sessions, Some("ada")).await.unwrap();
    let log = bench.settled().await;
    assert!(matches!(log.last(), Some(EventBody::SessionStarted(_))));
}

#[tokio::test(start_paused = true)]
async fn of_two_users_who_begin_the_same_session_at_once_one_gets_it() {
    let bench = Bench::new([]);
    let here = bench.manager();
    let there = bench.elsewhere(&ScriptedModel::default());
    for (one, other) in [(&here, &here), (&here, &there)] {
        let bench_id = format!("race-{}", std::ptr::eq(one, other));
        let open = |sessions: &SessionManager, user| {
            let (sessions, id) = (sessions.clone(), bench_id.parse().unwrap());
            async move { sessions.open(id, of(Some(user))).await }
        };
        let (ada, eve) = tokio::join!(open(one, "ada"), open(other, "eve"));
        let (winner, loser) = if ada.is_ok() { (ada, eve) } else { (eve, ada) };
        winner.unwrap();
        assert_not_yours(&loser);
    }
}

#[tokio::test(start_paused = true)]
async fn only_its_owner_hears_that_another_process_has_a_session_and_strangers_do_not_wait() {
    let bench = Bench::new([Reply::text(["Hello."])]);
    let here = bench.manager();
    let there = bench.elsewhere(&ScriptedModel::default());
    let (_session, _client) = adas(&bench, &here, false).await;
    let begun = Instant::now();
    assert_not_yours(&open_as(&there, Some("eve")).await);
    assert!(begun.elapsed() < Duration::from_secs(1));
    let own = open_as(&there, Some("ada")).await;
    assert!(matches!(own, Err(SessionError::Owned { .. })), "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn only_its_owner_hears_that_a_session_has_too_many_readers() {
    let bench = Bench::new([]);
    let mut settings = SessionSettings::default();
    settings.max_readers = 1;
    let sessions = SessionManager::builder(Arc::clone(&bench.store), bench.model.clone())
        .settings(settings)
        .start();
    let session = open_as(&sessions, Some("ada")).await.unwrap();
    let _reader = session.attach(After::Start).await.unwrap();
    let again = session.attach(After::Start).await;
    assert!(matches!(again, Err(SessionError::TooManyReaders { .. })));
    assert_not_yours(&open_as(&sessions, Some("eve")).await);
}

#[tokio::test(start_paused = true)]
async fn a_live_session_is_opened_by_its_owner_without_the_store() {
    let bench = Bench::new([Reply::text(["Hello."])]);
    let sessions = bench.manager();
    let (_session, _client) = adas(&bench, &sessions, false).await;
    bench.store.set(Failure::Unavailable);
    let again = open_as(&sessions, Some("ada")).await.unwrap();
    again.attach(After::Now).await.unwrap();
    // A stranger hears what it would hear of any other.
    for id in ["s", "unheard-of"] {
        let refused = sessions.open(id.parse().unwrap(), of(Some("eve"))).await;
        assert!(
            matches!(refused, Err(SessionError::StoreUnavailable(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_without_an_owner_is_no_users() {
    let bench = Bench::new([]);
    let sessions = bench.manager();
    open_as(&sessions, None).await.unwrap();
    assert_not_yours(&open_as(&sessions, Some("ada")).await);
    open_as(&sessions, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_a_session_that_is_there_is_opened_where_none_is_to_be_made() {
    let bench = Bench::new([Reply::text(["Hello."])]);
    let sessions = bench.manager();
    let existing = |user: &str| OpenOptions {
        only_existing: true,
        ..of(Some(user))
    };
    let unknown = sessions.open("s".parse().unwrap(), existing("ada")).await;
    assert!(
        matches!(unknown, Err(SessionError::Unknown { .. })),
        "{unknown:?}"
    );
    assert_eq!(
        bench.memory.session(&"s".parse().unwrap()).await.unwrap(),
        None
    );
    adas(&bench, &sessions, true).await;
    assert_not_yours(&sessions.open("s".parse().unwrap(), existing("eve")).await);
    let own = sessions.open("s".parse().unwrap(), existing("ada")).await;
    own.unwrap();
}
