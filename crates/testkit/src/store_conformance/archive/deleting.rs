//! Sessions that somebody wants gone.

use patter_protocol::SessionId;
use patter_store::StoreError;

use super::ArchiveFixture;
use crate::store_conformance::sample::{
    append, claimed, lease, log_of, message, owner, session, started, write,
};

/// Its neighbour stays, and whoever ran it is told.
pub async fn a_deleted_session_is_gone_with_its_events(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let (other, other_claim) = claimed(store.as_ref()).await;
    let (id, claim) = claimed(store.as_ref()).await;
    for (id, fence) in [(&other, other_claim.fence), (&id, claim.fence)] {
        let entry = append(id, fence, [started(), message("a")]);
        write(store.as_ref(), entry).await.unwrap();
    }
    store.release(&owner("test"), &lease(&claim)).await.unwrap();

    assert!(store.delete(&id).await.unwrap());
    assert_eq!(store.session(&id).await.unwrap(), None);
    assert!(log_of(store.as_ref(), &id).await.is_empty());
    assert_eq!(log_of(store.as_ref(), &other).await.len(), 2);
    let late = write(store.as_ref(), append(&id, claim.fence, [message("b")])).await;
    assert!(
        matches!(late, Err(StoreError::NoSuchSession { .. })),
        "{late:?}"
    );
}

/// However many there are.
pub async fn a_long_session_is_deleted_with_all_of_its_events(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let (id, claim) = claimed(store.as_ref()).await;
    for _ in 0..3 {
        let messages = (0..400).map(|_| message("a word of many"));
        let entry = append(&id, claim.fence, messages);
        write(store.as_ref(), entry).await.unwrap();
    }
    store.release(&owner("test"), &lease(&claim)).await.unwrap();

    assert!(store.delete(&id).await.unwrap());
    assert_eq!(store.session(&id).await.unwrap(), None);
    assert!(log_of(store.as_ref(), &id).await.is_empty());
}

/// Until its lease is over.
pub async fn a_session_that_somebody_runs_is_not_deleted(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let refused = store.delete(&id).await;
    assert!(
        matches!(&refused, Err(StoreError::Owned { session_id, free_in })
            if *session_id == id && !free_in.is_zero()),
        "{refused:?}"
    );
    write(store.as_ref(), append(&id, claim.fence, [started()]))
        .await
        .unwrap();
    store.release(&owner("test"), &lease(&claim)).await.unwrap();
    assert!(store.delete(&id).await.unwrap());
}

/// It has nothing of the one before.
pub async fn a_deleted_session_can_be_made_anew(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let (id, claim) = claimed(store.as_ref()).await;
    write(store.as_ref(), append(&id, claim.fence, [started()]))
        .await
        .unwrap();
    store.release(&owner("test"), &lease(&claim)).await.unwrap();
    assert!(store.delete(&id).await.unwrap());
    let again = store.claim(session(&id), &owner("test")).await.unwrap();
    assert!(again.created);
    assert_eq!(again.record.last_seq, 0);
    assert_ne!(again.record.epoch, claim.record.epoch);
    assert!(log_of(store.as_ref(), &id).await.is_empty());

    // Whoever wrote the first one does not get into the second.
    let late = write(store.as_ref(), append(&id, claim.fence, [message("b")])).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
}

/// Which is no fault.
pub async fn a_session_that_there_is_not_is_not_deleted(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    assert!(!store.delete(&SessionId::generate()).await.unwrap());
}
