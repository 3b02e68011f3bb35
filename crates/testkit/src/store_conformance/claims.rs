//! One owner writes to a session, the last that claimed it.

use patter_protocol::SessionId;
use patter_store::{NewSession, StoreError};
use serde_json::json;

use super::StoreFixture;
use super::sample::{append, lease, log_of, message, owner, session, stored_from, write};

/// With what the client gave.
pub async fn the_first_claim_makes_the_session(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let new = ada(&SessionId::generate());
    let claim = store.claim(new.clone(), &owner("one")).await.unwrap();
    assert!(claim.created);
    let record = claim.record;
    assert_eq!(record.session_id, new.session_id);
    assert_eq!(record.user_id, new.user_id);
    assert_eq!(record.metadata, new.metadata);
    assert!(record.is_active);
    assert_eq!(
        (record.last_seq, record.end_time, &record.summary),
        (0, None, &None)
    );
    assert_eq!(store.session(&new.session_id).await.unwrap(), Some(record));
}

/// User, metadata, start and epoch are those of the first claim.
pub async fn a_later_claim_keeps_what_is_there(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let new = ada(&SessionId::generate());
    let first = store.claim(new.clone(), &owner("one")).await.unwrap();
    write(
        store.as_ref(),
        append(&new.session_id, first.fence, [message("a")]),
    )
    .await
    .unwrap();

    store.release(&owner("one"), &lease(&first)).await.unwrap();
    let second = session(&new.session_id);
    let second = store.claim(second, &owner("two")).await.unwrap();
    assert!(!second.created);
    assert!(second.fence > first.fence);
    assert_eq!(second.record.user_id, first.record.user_id);
    assert_eq!(second.record.metadata, first.record.metadata);
    assert_eq!(second.record.start_time, first.record.start_time);
    assert_eq!(second.record.epoch, first.record.epoch);
    assert_eq!(second.record.last_seq, 1);
}

/// The one that was paused and comes back.
pub async fn a_claim_fences_out_the_owner_before(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let id = SessionId::generate();
    let old = store.claim(session(&id), &owner("same")).await.unwrap();
    let new = store.claim(session(&id), &owner("same")).await.unwrap();
    let refused = write(store.as_ref(), append(&id, old.fence, [message("late")])).await;
    assert!(
        matches!(&refused, Err(StoreError::Fenced { session_id }) if *session_id == id),
        "{refused:?}"
    );
    assert!(log_of(store.as_ref(), &id).await.is_empty());
    let taken = write(store.as_ref(), append(&id, new.fence, [message("new")])).await;
    assert_eq!(taken.unwrap(), stored_from(1, 1));
}

/// U+0000 fits into no database.
pub async fn a_claim_that_cannot_be_stored_is_rejected(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let id = SessionId::generate();
    let bad_user = NewSession {
        user_id: Some("a\0".to_owned()),
        ..session(&id)
    };
    let bad_metadata = NewSession {
        metadata: json!({"a\0": 1}).as_object().unwrap().clone(),
        ..session(&id)
    };
    for bad in [bad_user, bad_metadata] {
        let refused = store.claim(bad, &owner("one")).await;
        assert!(
            matches!(refused, Err(StoreError::Rejected(_))),
            "{refused:?}"
        );
    }
    assert_eq!(store.session(&id).await.unwrap(), None);
}

fn ada(session_id: &SessionId) -> NewSession {
    NewSession {
        user_id: Some("ada".to_owned()),
        metadata: json!({"title": "Ünits", "n": 1.0})
            .as_object()
            .unwrap()
            .clone(),
        ..session(session_id)
    }
}
