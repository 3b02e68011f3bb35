//! A process that is killed in the middle of its writes loses nothing that it was told is stored,
//! and on SQLite nobody waits for its leases.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use patter_store::{Appended, EventWriter, SessionStore, SqliteStore};
use patter_testkit::store_conformance::sample::{append, log_of, message, owner, places, session};

use crate::again::again;

const TEST: &str = "kill::what_was_acknowledged_survives_a_kill";
const FILE: &str = "PATTER_STORE_KILL_TEST_FILE";
/// The test kills after so many acknowledged events; more may follow until the signal arrives.
const ACKNOWLEDGED: usize = 200;
const SESSIONS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    if let Some(file) = env::var_os(FILE) {
        return write_until_killed(Arc::new(SqliteStore::open(file).await.unwrap())).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patter.db");
    let acknowledged = kill_in_the_middle(again(TEST).env(FILE, &file));
    let store = SqliteStore::open(file).await.unwrap();
    assert_all_are_there(&store, &acknowledged).await;
    // Its leases had most of ten minutes left, but it is known to be gone.
    for number in 0..SESSIONS {
        let session = session(&session_name(number));
        store.claim(session, &owner("next")).await.unwrap();
    }
}

#[cfg(feature = "needs-postgres")]
mod postgres {
    use std::env;
    use std::sync::Arc;

    use patter_store::{PostgresOptions, PostgresStore, SessionStore, StoreError};
    use patter_testkit::postgres::TestDatabase;
    use patter_testkit::store_conformance::sample::{owner, session};

    use super::{assert_all_are_there, kill_in_the_middle, session_name, write_until_killed};
    use crate::again::again;

    const TEST: &str = "kill::postgres::what_postgres_acknowledged_survives_a_kill";
    const URL: &str = "PATTER_STORE_KILL_TEST_URL";

    async fn connect(url: String) -> PostgresStore {
        let options = PostgresOptions {
            allow_unsafe_fsync: true,
            ..PostgresOptions::new(url.into())
        };
        PostgresStore::connect(options).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_postgres_acknowledged_survives_a_kill() {
        if let Ok(url) = env::var(URL) {
            return write_until_killed(Arc::new(connect(url).await)).await;
        }
        let database = TestDatabase::create().await;
        let acknowledged = kill_in_the_middle(again(TEST).env(URL, database.url()));
        let store = connect(database.url()).await;
        assert_all_are_there(&store, &acknowledged).await;
        // It may be anywhere, and its lease holds.
        let session = session(&session_name(0));
        let refused = store.claim(session, &owner("next")).await.unwrap_err();
        assert!(matches!(refused, StoreError::Owned { .. }), "{refused:?}");
    }
}

fn session_name(number: usize) -> patter_protocol::SessionId {
    format!("session-{number}").parse().expect("a good name")
}

/// The process to be killed: says `ack <session> <seq>` after each stored event, without an end.
async fn write_until_killed(store: Arc<dyn SessionStore>) {
    let writer = EventWriter::start(store.clone());
    let writing = (0..SESSIONS).map(async |number| {
        let id = session_name(number);
        let fence = store
            .claim(session(&id), &owner("child"))
            .await
            .unwrap()
            .fence;
        loop {
            let stored = writer
                .append(append(&id, fence, [message("a")]))
                .await
                .unwrap();
            let [Appended::Stored { seq }] = stored.as_slice() else {
                unreachable!("{stored:?}")
            };
            // One write, so that a kill cannot cut it. A parent that is gone ends this, too.
            let line = format!("ack {number} {seq}\n");
            std::io::stdout().write_all(line.as_bytes()).unwrap();
        }
    });
    futures_util::future::join_all(writing).await;
}

/// Starts the process, kills it after some events, and gives the highest place that each session
/// was told.
fn kill_in_the_middle(command: &mut Command) -> [u64; SESSIONS] {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut acknowledged = [0; SESSIONS];
    let mut count = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The first line may stand behind what the test harness prints.
        let Some((_, told)) = line.split_once("ack ") else {
            continue;
        };
        let Some((number, seq)) = told.split_once(' ') else {
            continue;
        };
        let place = acknowledged
            .get_mut(number.parse::<usize>().unwrap())
            .unwrap();
        *place = seq.parse::<u64>().unwrap().max(*place);
        count += 1;
        if count == ACKNOWLEDGED {
            // SIGKILL, on Unix. What it said before that is still to be read.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(
        count >= ACKNOWLEDGED,
        "it ended by itself after {count} events"
    );
    acknowledged
}

async fn assert_all_are_there(store: &dyn SessionStore, acknowledged: &[u64]) {
    for (number, &place) in acknowledged.iter().enumerate() {
        let id = session_name(number);
        let log = places(&log_of(store, &id).await);
        let last = log.len() as u64;
        assert!(
            last >= place,
            "session {number}: {place} acknowledged, {last} stored"
        );
        assert_eq!(
            log,
            (1..=last).collect::<Vec<_>>(),
            "session {number} has gaps"
        );
        assert_eq!(store.session(&id).await.unwrap().unwrap().last_seq, last);
    }
}
