//! Sessions that are made before anybody opens them.

use std::time::Duration;

use patter_protocol::SessionId;
use patter_store::{NewSession, Owner, StoreError};
use serde_json::json;

use super::ArchiveFixture;
use crate::store_conformance::sample::{append, log_of, owner, session, started, write};

/// It is active, nobody runs it, and it has no log.
pub async fn a_created_session_is_there_with_what_was_given(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let new = ada();
    let record = store.create(new.clone()).await.unwrap();
    assert_eq!(record.session_id, new.session_id);
    assert_eq!(record.user_id, new.user_id);
    let metadata = json!({"title": "Ünits", "n": 1.0});
    assert_eq!(
        json!(record.metadata),
        metadata,
        "without what is the server's"
    );
    assert!(record.is_active);
    assert_eq!((record.last_seq, record.end_time), (0, None));
    let stored = store.session(&new.session_id).await.unwrap();
    assert_eq!(stored, Some(record));
}

/// And is that session still.
pub async fn a_created_session_is_opened_by_the_first_claim(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let new = ada();
    let record = store.create(new.clone()).await.unwrap();
    let other = session(&new.session_id);
    let claimed = store.claim(other, &owner("one")).await.unwrap();
    assert_eq!(claimed.record.user_id, record.user_id);
    assert_eq!(claimed.record.metadata, record.metadata);
    assert_eq!(claimed.record.epoch, record.epoch);
    assert_eq!(claimed.record.last_seq, 0);
    let start = append(&new.session_id, claimed.fence, [started()]);
    write(store.as_ref(), start).await.unwrap();
}

/// Nobody has lost it.
pub async fn a_created_session_that_nobody_opens_is_never_swept_up(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    store.create(ada()).await.unwrap();
    let hasty = Owner {
        id: "sweeper".to_owned(),
        lease: Duration::ZERO,
        linger: Duration::ZERO,
    };
    // One that was lost shows when the sweeper would have found it.
    let lost = SessionId::generate();
    store.claim(session(&lost), &hasty).await.unwrap();
    let swept = loop {
        let swept = store.sweep(&owner("sweeper"), 10).await.unwrap();
        if !swept.is_empty() {
            break swept;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(swept.len(), 1);
    assert_eq!(swept[0].claimed.record.session_id, lost);
}

/// Whoever made it.
pub async fn a_name_that_is_taken_is_refused_and_nothing_is_changed(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let first = store.create(ada()).await.unwrap();
    let claimed = SessionId::generate();
    let claim = store.claim(session(&claimed), &owner("one")).await.unwrap();
    for before in [first, claim.record] {
        let again = NewSession {
            user_id: Some("eve".to_owned()),
            ..session(&before.session_id)
        };
        let refused = store.create(again).await;
        assert!(
            matches!(&refused, Err(StoreError::Exists { session_id }) if *session_id == before.session_id),
            "{refused:?}"
        );
        let after = store.session(&before.session_id).await.unwrap();
        assert_eq!(after, Some(before));
    }
}

/// The others are told.
pub async fn of_several_that_create_at_once_one_makes_the_session(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let new = ada();
    let creating = (0..8).map(|_| store.create(new.clone()));
    let made = futures_util::future::join_all(creating).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    let refused = |made: &&Result<_, _>| matches!(made, Err(StoreError::Exists { .. }));
    assert_eq!(made.iter().filter(refused).count(), 7);
}

/// U+0000 fits into no database.
pub async fn what_cannot_be_stored_is_not_created(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let bad = NewSession {
        user_id: Some("a\0".to_owned()),
        ..ada()
    };
    let session_id = bad.session_id.clone();
    let refused = store.create(bad).await;
    assert!(
        matches!(refused, Err(StoreError::Rejected(_))),
        "{refused:?}"
    );
    assert_eq!(store.session(&session_id).await.unwrap(), None);
    assert!(log_of(store.as_ref(), &session_id).await.is_empty());
}

fn ada() -> NewSession {
    let metadata = json!({"title": "Ünits", "n": 1.0, "metrics": {"mine": 1}});
    NewSession {
        session_id: SessionId::generate(),
        user_id: Some("ada".to_owned()),
        metadata: metadata.as_object().unwrap().clone(),
    }
}
