//! A spool loses nothing that it said was kept: not when its process is killed, not when the next
//! one is killed while it takes over, not when the disk is full.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use patter_protocol::{EventBody, SessionId};
use patter_store::{Append, Fence, Kept, Spool, SpoolOptions, SqliteSpool, StoreError};
use patter_testkit::spool_conformance::kept_of;
use patter_testkit::store_conformance::sample::{append, message};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::again::{again, assert_passed};

const FOLDER: &str = "PATTER_SPOOL_FAULT_TEST_FOLDER";
const SESSIONS: usize = 4;
/// The test kills after so many events; more may follow until the signal arrives.
const ACKNOWLEDGED: usize = 200;

/// Where the child is to work; `None` in the test itself.
fn folder_of_child() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// The test of this name again, as the process to which something happens.
fn child(test: &str, folder: &Path) -> Command {
    let mut command = again(&format!("spool_faults::{test}"));
    command.env(FOLDER, folder);
    command
}

async fn open(folder: &Path) -> SqliteSpool {
    SqliteSpool::open(SpoolOptions::new(folder)).await.unwrap()
}

fn session(number: usize) -> SessionId {
    format!("session-{number}").parse().unwrap()
}

fn texts(kept: &[Kept]) -> Vec<String> {
    let text = |kept: &Kept| match &kept.event.body {
        EventBody::UserMessage(message) => message.content.clone(),
        other => unreachable!("{other:?}"),
    };
    kept.iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_kept_survives_a_kill() {
    if let Some(folder) = folder_of_child() {
        return keep_until_killed(&folder).await;
    }
    let folder = TempDir::new().unwrap();
    let mut total = 0;
    for _ in 0..3 {
        let mut child = child("what_was_kept_survives_a_kill", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acknowledged: HashMap<usize, usize> = HashMap::new();
        let mut count = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            // The first line may stand behind what the test harness prints.
            let Some((number, told)) = line
                .split_once("kept ")
                .and_then(|(_, told)| told.split_once(' '))
            else {
                continue;
            };
            acknowledged.insert(number.parse().unwrap(), told.parse::<usize>().unwrap());
            count += 1;
            if count == ACKNOWLEDGED {
                // SIGKILL. What it said before that is still to be read.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(count >= ACKNOWLEDGED, "it ended by itself after {count}");

        let spool = open(folder.path()).await;
        let mut events = 0;
        for number in 0..SESSIONS {
            let kept = texts(&spool.kept(&session(number)).await.unwrap());
            let expected: Vec<_> = (0..kept.len()).map(|text| text.to_string()).collect();
            assert_eq!(kept, expected, "session {number} has gaps");
            let last = acknowledged.get(&number).copied().unwrap_or(0);
            assert!(kept.len() > last, "session {number}: {last} is not there");
            // Two events go together.
            assert_eq!(kept.len() % 2, 0, "session {number} has half an append");
            events += kept.len() as u64;
        }
        assert_eq!(spool.usage().events, events);
        assert!(events >= total + ACKNOWLEDGED as u64);
        total = events;
        spool.close().await;
    }
}

/// Says `kept <session> <text of the last event>` after each pair of events, without an end.
async fn keep_until_killed(folder: &Path) {
    let spool = open(folder).await;
    let keeping = (0..SESSIONS).map(async |number| {
        let id = session(number);
        let mut next = spool.kept(&id).await.unwrap().len();
        loop {
            let pair = [next, next + 1].map(|text| message(&text.to_string()));
            spool.keep(append(&id, Fence(1), pair)).await.unwrap();
            // One write, so that a kill cannot cut it. A parent that is gone ends this, too.
            let line = format!("kept {number} {}\n", next + 1);
            std::io::stdout().write_all(line.as_bytes()).unwrap();
            next += 2;
        }
    });
    join_all(keeping).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_a_take_over_loses_and_reorders_nothing() {
    if let Some(folder) = folder_of_child() {
        open(&folder).await;
        return;
    }
    let folder = TempDir::new().unwrap();
    let own = open(folder.path()).await;
    let left = open(folder.path()).await;
    let mut expected = Vec::new();
    for number in 0..SESSIONS {
        let id = session(number);
        let entry = |fence, text: &str| append(&id, Fence(fence), vec![message(text); 200]);
        let mut entries: Vec<_> = (0..10).map(|_| entry(1, &"a".repeat(1_000))).collect();
        for entry in &entries {
            left.keep(entry.clone()).await.unwrap();
        }
        // Newer, and on the disk before the others are.
        let newer = entry(2, "b");
        own.keep(newer.clone()).await.unwrap();
        entries.push(newer);
        expected.push((id, entries));
    }
    own.close().await;
    left.close().await;

    for _ in 0..2 {
        kill_when_it_has_copied_something(folder.path()).await;
        let left = folder.path().join("1.db");
        assert!(left.exists(), "it was done before it was killed");
    }
    let spool = open(folder.path()).await;
    assert!(!folder.path().join("1.db").exists());
    for (id, entries) in &expected {
        assert!(spool.kept(id).await.unwrap() == kept_of(entries), "{id}");
    }
    assert_eq!(spool.usage().events, (SESSIONS * 11 * 200) as u64);
}

async fn kill_when_it_has_copied_something(folder: &Path) {
    let log = folder.join("0.db-wal");
    let size = || fs::metadata(&log).map_or(0, |log| log.len());
    let test = "a_kill_in_the_middle_of_a_take_over_loses_and_reorders_nothing";
    let mut child = child(test, folder).stdout(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while size() < 100_000 {
        assert!(Instant::now() < until, "it copies nothing");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The limit on the size of a file stands in for the disk: it needs no rights, and a write beyond
/// it fails like one to a disk that is full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_whole_calls_and_is_left_behind() {
    if let Some(folder) = folder_of_child() {
        return fill_the_disk(&folder).await;
    }
    let folder = TempDir::new().unwrap();
    let test = child(
        "a_full_disk_refuses_whole_calls_and_is_left_behind",
        folder.path(),
    );
    let mut limited = Command::new("sh");
    // A process that does not ignore the signal would be ended by it.
    limited
        .args(["-c", r#"ulimit -f 4096 && trap "" XFSZ && exec "$0" "$@""#])
        .arg(test.get_program())
        .args(test.get_args())
        .env(FOLDER, folder.path());
    assert_passed(&limited.output().unwrap());
}

async fn fill_the_disk(folder: &Path) {
    let mut spool = open(folder).await;
    let entry = |number: usize, bytes: usize| {
        let large = message(&"a".repeat(bytes));
        append(&session(number % SESSIONS), Fence(1), vec![large; 4])
    };
    for round in 0..3 {
        let mut kept: Vec<Append> = Vec::new();
        // The larger ones do not fit at some time, then the smaller ones do not.
        for bytes in [30_000, 3_000, 10] {
            for number in 0.. {
                assert!(number < 50_000, "it is never full");
                let entry = entry(number, bytes);
                match spool.keep(entry.clone()).await {
                    Ok(()) => kept.push(entry),
                    Err(StoreError::Unavailable(_)) => break,
                    Err(other) => unreachable!("{other:?}"),
                }
            }
        }
        assert!(kept.len() > 10, "round {round}: only {}", kept.len());
        // What is kept can be read, by this one and by the next.
        for _ in 0..2 {
            assert_eq!(spool.usage().events, kept.len() as u64 * 4);
            for number in 0..SESSIONS {
                let id = session(number);
                let of_session: Vec<_> = kept
                    .iter()
                    .filter(|entry| entry.session_id == id)
                    .cloned()
                    .collect();
                assert!(spool.kept(&id).await.unwrap() == kept_of(&of_session));
            }
            spool.close().await;
            spool = open(folder).await;
        }
        // Even where there is no room to remove a row, there is room once nothing is wanted.
        for number in 0..SESSIONS {
            let id = session(number);
            let events: Vec<_> = spool.kept(&id).await.unwrap();
            let events: Vec<_> = events.iter().map(|kept| kept.event.event_id).collect();
            let _ = spool.forget(&id, &events).await;
            assert!(!spool.holds(&id), "round {round}");
        }
        assert_eq!(spool.usage().events, 0);
    }
    spool.keep(entry(0, 30_000)).await.unwrap();
    spool.close().await;
}
