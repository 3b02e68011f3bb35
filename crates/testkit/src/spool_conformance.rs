//! What every spool must do, written once and run against each.
//!
//! A spool's test file says how to make a fresh one and calls
//! [`spool_conformance!`](crate::spool_conformance!), as with
//! [`store_conformance`](mod@crate::store_conformance). A promise that the documentation of [`Spool`] adds
//! gets a function here and a line in the macro.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{join_all, poll_immediate};
use patter_protocol::{CallId, EventId, SessionId};
use patter_store::{Append, Fence, Kept, Spool, StoreError};
use serde_json::json;

use crate::store_conformance::sample::{append, every_kind, message, tool_result};

/// A place for events that was empty when it was made and goes away when it is dropped.
#[async_trait]
pub trait SpoolFixture: Send + Sync {
    /// Opens the spool: once the one that was opened before is closed it is the same data.
    async fn open(&self) -> Arc<dyn Spool>;
}

/// Makes a `#[tokio::test]` of each promise. `$make` is an async function without arguments
/// that gives a fresh [`SpoolFixture`](crate::spool_conformance::SpoolFixture).
#[macro_export]
macro_rules! spool_conformance {
    ($make:path) => {
        $crate::spool_conformance!(@tests $make;
            every_kind_of_event_comes_out_as_it_went_in
            what_is_kept_comes_out_in_order
            what_an_older_fence_kept_comes_first
            an_event_that_is_kept_twice_is_kept_once
            the_same_event_in_two_sessions_is_two_events
            an_append_that_no_store_takes_is_rejected_whole
            nothing_to_keep_is_no_fault
            forgetting_removes_what_it_names_and_no_more
            what_was_forgotten_may_be_kept_again
            sessions_and_usage_follow_what_is_kept
            a_spool_that_is_opened_again_has_everything
            many_sessions_at_once_keep_their_order
            a_keep_that_is_dropped_half_way_is_kept_whole_or_not_at_all
        );
    };
    (@tests $make:path; $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let fixture = $make().await;
                $crate::spool_conformance::$name(&fixture).await;
            }
        )*
    };
}

/// What is to come out if the appends went in, of one session and in order of fences.
#[must_use]
pub fn kept_of(appends: &[Append]) -> Vec<Kept> {
    let of_one = |append: &Append| {
        let fence = append.fence;
        let events = append.events.clone().into_iter();
        events
            .map(|event| Kept { fence, event })
            .collect::<Vec<_>>()
    };
    appends.iter().flat_map(of_one).collect()
}

fn ids(append: &Append) -> Vec<EventId> {
    append.events.iter().map(|event| event.event_id).collect()
}

fn messages<const COUNT: usize>(session_id: &SessionId, texts: [&str; COUNT]) -> Append {
    append(session_id, Fence(1), texts.map(message))
}

/// With numbers, texts, and what is private.
pub async fn every_kind_of_event_comes_out_as_it_went_in(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let id = SessionId::generate();
    let mut entry = append(&id, Fence(7), every_kind());
    entry.events[0].private = Some(json!({"signature": "\u{1F600}'\"\\", "n": [1e16, 0.1, -0.0]}));
    entry.events[1].private = Some(json!(null));
    let texts = [
        "",
        "'; drop table events; --",
        "\u{7f}\u{feff}e\u{301}\r\n",
        "\u{10ffff}",
    ];
    entry.events.extend(messages(&id, texts).events);
    spool.keep(entry.clone()).await.unwrap();
    assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&[entry]));
}

/// Over several calls.
pub async fn what_is_kept_comes_out_in_order(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let id = SessionId::generate();
    let entries: Vec<_> = (0..20).map(|_| messages(&id, ["a", "b", "c"])).collect();
    for entry in &entries {
        spool.keep(entry.clone()).await.unwrap();
    }
    assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&entries));
    assert_eq!(spool.kept(&SessionId::generate()).await.unwrap(), []);
}

/// Whenever it was kept: an older owner can only have written before.
pub async fn what_an_older_fence_kept_comes_first(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let id = SessionId::generate();
    let new = append(&id, Fence(2), [message("c"), message("d")]);
    let old = append(&id, Fence(1), [message("a"), message("b")]);
    spool.keep(new.clone()).await.unwrap();
    spool.keep(old.clone()).await.unwrap();
    assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&[old, new]));
}

/// The first counts, in one append and over several.
pub async fn an_event_that_is_kept_twice_is_kept_once(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let id = SessionId::generate();
    let first = messages(&id, ["a", "b"]);
    spool.keep(first.clone()).await.unwrap();
    let usage = spool.usage();
    spool.keep(first.clone()).await.unwrap();
    assert_eq!(spool.usage().bytes, usage.bytes);

    let third = messages(&id, ["c"]);
    let mut mixed = third.clone();
    mixed.fence = Fence(2);
    mixed.events.splice(0..0, first.events.clone());
    mixed.events.extend(mixed.events.clone());
    spool.keep(mixed).await.unwrap();
    let third = Append {
        fence: Fence(2),
        ..third
    };
    assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&[first, third]));
    assert_eq!(spool.usage().events, 3);
}

/// And is forgotten in one of them alone.
pub async fn the_same_event_in_two_sessions_is_two_events(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let (one, two) = (SessionId::generate(), SessionId::generate());
    let entry = messages(&one, ["a"]);
    let session_id = two.clone();
    let same = Append {
        session_id,
        ..entry.clone()
    };
    spool.keep(entry.clone()).await.unwrap();
    spool.keep(same.clone()).await.unwrap();
    spool.forget(&one, &ids(&entry)).await.unwrap();
    assert_eq!(spool.kept(&one).await.unwrap(), []);
    assert_eq!(spool.kept(&two).await.unwrap(), kept_of(&[same]));
}

/// U+0000 in a text and in JSON, JSON too deep to be read again; neighbours are kept.
pub async fn an_append_that_no_store_takes_is_rejected_whole(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let too_deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let mut private = messages(&SessionId::generate(), ["a"]).events.remove(0);
    private.private = Some(json!(["\0"]));
    let poisons = [
        message("a\0b"),
        tool_result(CallId::generate(), json!({"\0": 1})),
        tool_result(CallId::generate(), too_deep),
    ];
    let poisons = poisons.map(patter_store::NewEvent::now).into_iter();
    for poison in poisons.chain([private]) {
        let (bad, good) = (SessionId::generate(), SessionId::generate());
        let mut poisoned = messages(&bad, ["before", "after"]);
        poisoned.events.insert(1, poison);
        let entry = messages(&good, ["a"]);
        let (refused, kept) = tokio::join!(spool.keep(poisoned), spool.keep(entry.clone()));
        assert!(
            matches!(refused, Err(StoreError::Rejected(_))),
            "{refused:?}"
        );
        kept.unwrap();
        assert_eq!(spool.kept(&bad).await.unwrap(), []);
        assert_eq!(spool.kept(&good).await.unwrap(), kept_of(&[entry]));
    }
}

/// It changes nothing.
pub async fn nothing_to_keep_is_no_fault(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let id = SessionId::generate();
    spool.keep(messages(&id, [])).await.unwrap();
    spool.forget(&id, &[]).await.unwrap();
    assert!(!spool.holds(&id));
    assert_eq!((spool.usage().events, spool.usage().filled_for), (0, None));
}

/// What is not there is no fault.
pub async fn forgetting_removes_what_it_names_and_no_more(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let id = SessionId::generate();
    let entries = [messages(&id, ["a", "b"]), messages(&id, ["c"])];
    for entry in &entries {
        spool.keep(entry.clone()).await.unwrap();
    }
    let [first, second] = &entries;
    spool.forget(&id, &[EventId::generate()]).await.unwrap();
    spool
        .forget(&SessionId::generate(), &ids(first))
        .await
        .unwrap();
    assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&entries));
    let mut gone = ids(first);
    gone.push(EventId::generate());
    spool.forget(&id, &gone).await.unwrap();
    assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&entries[1..]));
    spool.forget(&id, &ids(second)).await.unwrap();
    assert_eq!(spool.kept(&id).await.unwrap(), []);
}

/// At the end.
pub async fn what_was_forgotten_may_be_kept_again(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let id = SessionId::generate();
    let (first, second) = (messages(&id, ["a"]), messages(&id, ["b"]));
    for _ in 0..3 {
        spool.keep(first.clone()).await.unwrap();
        spool.keep(second.clone()).await.unwrap();
        spool.forget(&id, &ids(&first)).await.unwrap();
        spool.keep(first.clone()).await.unwrap();
        let kept = spool.kept(&id).await.unwrap();
        assert_eq!(kept, kept_of(&[second.clone(), first.clone()]));
        spool.forget(&id, &ids(&first)).await.unwrap();
        spool.forget(&id, &ids(&second)).await.unwrap();
        assert_eq!(spool.kept(&id).await.unwrap(), []);
    }
}

/// All of it from memory.
pub async fn sessions_and_usage_follow_what_is_kept(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let (one, two) = (SessionId::generate(), SessionId::generate());
    let empty = spool.usage();
    assert_eq!((empty.events, empty.bytes, empty.filled_for), (0, 0, None));
    assert!(empty.has_room());

    let entries = [messages(&one, ["a", "b"]), messages(&two, ["a longer one"])];
    spool.keep(entries[0].clone()).await.unwrap();
    let less = spool.usage();
    assert_eq!(less.events, 2);
    assert!(less.bytes > 0 && less.filled_for.is_some());
    assert_eq!(spool.sessions(), std::slice::from_ref(&one));
    spool.keep(entries[1].clone()).await.unwrap();
    assert_eq!(spool.usage().events, 3);
    assert!(spool.usage().bytes > less.bytes);
    assert!(spool.usage().filled_for >= less.filled_for);
    let (mut sessions, mut both) = (spool.sessions(), [one.clone(), two.clone()]);
    sessions.sort();
    both.sort();
    assert_eq!(sessions, both);

    spool.forget(&two, &ids(&entries[1])).await.unwrap();
    assert!(spool.holds(&one) && !spool.holds(&two));
    assert_eq!((spool.usage().events, spool.usage().bytes), (2, less.bytes));
    spool.forget(&one, &ids(&entries[0])).await.unwrap();
    assert_eq!(spool.usage(), empty);
    assert!(spool.sessions().is_empty());
}

/// In order, and knows how much it is.
pub async fn a_spool_that_is_opened_again_has_everything(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let sessions: Vec<_> = (0..5).map(|_| SessionId::generate()).collect();
    let mut entries = Vec::new();
    for id in &sessions {
        let entry = messages(id, ["a", "b", "c"]);
        spool.keep(entry.clone()).await.unwrap();
        entries.push(entry);
    }
    spool.forget(&sessions[4], &ids(&entries[4])).await.unwrap();
    let before = spool.usage();
    spool.close().await;

    let spool = fixture.open().await;
    for (id, entry) in sessions.iter().zip(&entries).take(4) {
        assert!(spool.holds(id));
        let kept = spool.kept(id).await.unwrap();
        assert_eq!(kept, kept_of(std::slice::from_ref(entry)));
    }
    assert!(!spool.holds(&sessions[4]));
    assert_eq!(spool.sessions().len(), 4);
    let after = spool.usage();
    assert_eq!((after.events, after.bytes), (before.events, before.bytes));
    assert!(after.filled_for.is_some());
}

/// Each by itself, one call after the other.
pub async fn many_sessions_at_once_keep_their_order(fixture: &dyn SpoolFixture) {
    let spool = fixture.open().await;
    let keeping = (0..100).map(async |_| {
        let id = SessionId::generate();
        let entries: Vec<_> = (0..5).map(|_| messages(&id, ["a", "b"])).collect();
        for entry in &entries {
            spool.keep(entry.clone()).await.unwrap();
        }
        (id, entries)
    });
    for (id, entries) in join_all(keeping).await {
        assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&entries));
    }
    assert_eq!(spool.usage().events, 1_000);
}

/// And memory says the same as what is read.
pub async fn a_keep_that_is_dropped_half_way_is_kept_whole_or_not_at_all(
    fixture: &dyn SpoolFixture,
) {
    let spool = fixture.open().await;
    let mut dropped = Vec::new();
    for _ in 0..20 {
        let id = SessionId::generate();
        let entry = messages(&id, ["a", "b", "c"]);
        // Polled once: it is on its way, or done.
        let _ = poll_immediate(spool.keep(entry.clone())).await;
        dropped.push((id, entry));
    }
    let mut events = 0;
    for (id, entry) in &dropped {
        let kept = spool.kept(id).await.unwrap();
        assert_eq!(spool.holds(id), !kept.is_empty());
        if !kept.is_empty() {
            assert_eq!(kept, kept_of(std::slice::from_ref(entry)));
        }
        events += kept.len() as u64;
    }
    assert_eq!(spool.usage().events, events);
    spool.close().await;
    assert_eq!(fixture.open().await.usage().events, events);
}
