//! Sessions that are too old to be kept.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use patter_protocol::{SessionId, Timestamp};
use patter_store::ImportedSession;

use super::{ArchiveFixture, ArchivedStore, imported, log_from, moment};
use crate::store_conformance::sample::{
    append, claimed, ended, lease, log_of, message, metrics, owner, session, started, write,
};

/// What ended later stays, and so does what ended just then.
pub async fn what_ended_before_is_pruned_with_its_events(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let old = import(store.as_ref(), moment(0), 3).await;
    let just_then = import(store.as_ref(), moment(1_000), 3).await;
    let later = import(store.as_ref(), moment(5_000), 3).await;
    let pruned = store.prune(moment(4_000), 100).await.unwrap();
    assert_eq!(pruned, std::slice::from_ref(&old));
    assert_eq!(store.session(&old).await.unwrap(), None);
    assert!(log_of(store.as_ref(), &old).await.is_empty());
    for kept in [just_then, later] {
        assert_eq!(log_of(store.as_ref(), &kept).await.len(), 3);
        assert!(store.session(&kept).await.unwrap().is_some());
    }
}

/// However old it is.
pub async fn what_somebody_runs_or_is_to_be_swept_up_stays(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let (live, claim) = claimed(store.as_ref()).await;
    write(store.as_ref(), append(&live, claim.fence, [started()]))
        .await
        .unwrap();
    let (left, claim) = claimed(store.as_ref()).await;
    store.release(&owner("test"), &lease(&claim)).await.unwrap();
    let (just_claimed, _claim) = claimed(store.as_ref()).await;
    let reopened = import(store.as_ref(), moment(0), 3).await;
    store
        .claim(session(&reopened), &owner("one"))
        .await
        .unwrap();
    assert!(store.prune(tomorrow(), 100).await.unwrap().is_empty());
    for kept in [live, left, just_claimed, reopened] {
        assert!(store.session(&kept).await.unwrap().is_some());
    }
}

/// By when they were made.
pub async fn sessions_that_were_never_opened_are_pruned(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let id = SessionId::generate();
    store.create(session(&id)).await.unwrap();
    assert!(store.prune(moment(0), 100).await.unwrap().is_empty());
    let pruned = store.prune(tomorrow(), 100).await.unwrap();
    assert_eq!(pruned, std::slice::from_ref(&id));
    assert_eq!(store.session(&id).await.unwrap(), None);
}

/// The oldest first, whatever kind they are of.
pub async fn no_more_are_pruned_than_asked_for(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let mut old = Vec::new();
    for number in 0..5 {
        old.push(import(store.as_ref(), moment(number), 2).await);
    }
    let minted = SessionId::generate();
    store.create(session(&minted)).await.unwrap();
    assert!(store.prune(tomorrow(), 0).await.unwrap().is_empty());
    let first: BTreeSet<_> = store
        .prune(tomorrow(), 4)
        .await
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(first, old[..4].iter().cloned().collect());
    let rest: BTreeSet<_> = store
        .prune(tomorrow(), 4)
        .await
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(rest, BTreeSet::from([old[4].clone(), minted]));
    assert!(store.prune(tomorrow(), 4).await.unwrap().is_empty());
}

/// So that nobody waits long for any of them.
pub async fn many_events_are_pruned_in_several_calls(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    for number in 0..3 {
        import(store.as_ref(), moment(number), 6_000).await;
    }
    assert_eq!(store.prune(tomorrow(), 100).await.unwrap().len(), 2);
    assert_eq!(store.prune(tomorrow(), 100).await.unwrap().len(), 1);
}

/// And none is left.
pub async fn each_old_session_goes_to_one_of_several_pruners(fixture: &dyn ArchiveFixture) {
    let stores = futures_util::future::join_all((0..3).map(|_| fixture.open_archive())).await;
    let mut old = BTreeSet::new();
    for number in 0..40 {
        old.insert(import(stores[0].as_ref(), moment(number), 2).await);
    }
    let pruning = stores.iter().map(async |store| {
        let mut mine = Vec::new();
        for _ in 0..20 {
            mine.extend(store.prune(tomorrow(), 3).await.unwrap());
        }
        mine
    });
    let pruned: Vec<_> = futures_util::future::join_all(pruning).await.concat();
    assert_eq!(pruned.len(), 40);
    assert_eq!(pruned.into_iter().collect::<BTreeSet<_>>(), old);
}

/// A session whose last of several events, its end, is as many seconds later.
async fn import(store: &dyn ArchivedStore, start: Timestamp, events: usize) -> SessionId {
    let id = SessionId::generate();
    let messages = (0..events - 1).map(|n| message(&n.to_string()));
    let given = ImportedSession {
        events: log_from(start, messages.chain([ended(None, metrics())])),
        ..imported(id.clone(), start)
    };
    store.import(given).await.unwrap();
    id
}

fn tomorrow() -> Timestamp {
    (Timestamp::now().as_datetime() + TimeDelta::days(1)).into()
}
