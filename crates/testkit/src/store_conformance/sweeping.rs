//! A session to which nobody comes back is swept up, by one.

use std::collections::HashSet;
use std::time::Duration;

use patter_protocol::{Metrics, SessionId};
use patter_store::{Owner, SessionStore, StoreError};

use super::StoreFixture;
use super::sample::{
    LEASE, LINGER, append, brief_owner, ended, lease, message, owner, session, started, write,
};

/// For the clocks of two machines and a slow disk: what is due by now is due a little later, too.
const SLACK: Duration = Duration::from_millis(100);

/// And none to two of them.
pub async fn each_session_goes_to_one_of_several_sweepers(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let mut left = HashSet::new();
    for _ in 0..30 {
        left.insert(opened(store.as_ref(), &brief_owner("lost")).await);
    }
    tokio::time::sleep(LEASE + LINGER + SLACK).await;
    let owners: Vec<_> = (0..4).map(|n| owner(&format!("sweeper-{n}"))).collect();
    let mut swept = Vec::new();
    loop {
        let sweeping = owners.iter().map(|owner| store.sweep(owner, 3));
        let found = futures_util::future::join_all(sweeping).await;
        let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
        assert!(found.iter().all(|swept| swept.len() <= 3));
        if found.iter().all(Vec::is_empty) {
            break;
        }
        swept.extend(found.into_iter().flatten());
    }
    assert_eq!(swept.len(), left.len());
    for one in &swept {
        let id = &one.claimed.record.session_id;
        assert!(left.remove(id), "{id} was swept up twice");
        assert!(!one.was_released);
        assert!(!one.claimed.created);
        // The sweeper may write to it, and nobody else may have it.
        write(
            store.as_ref(),
            append(id, one.claimed.fence, [message("a")]),
        )
        .await
        .unwrap();
        let refused = store.claim(session(id), &owner("other")).await;
        assert!(
            matches!(refused, Err(StoreError::Owned { .. })),
            "{refused:?}"
        );
    }
}

/// A client may come back for so long after the lease has run out.
pub async fn a_lost_session_is_left_alone_until_it_has_lingered(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let patient = Owner {
        linger: Duration::from_secs(600),
        ..brief_owner("patient")
    };
    let waiting = opened(store.as_ref(), &patient).await;
    let lost = opened(store.as_ref(), &brief_owner("lost")).await;
    let held = Owner {
        linger: Duration::ZERO,
        ..owner("held")
    };
    opened(store.as_ref(), &held).await;
    assert_eq!(swept(store.as_ref()).await, []);
    tokio::time::sleep(LEASE + LINGER + SLACK).await;
    assert_eq!(swept(store.as_ref()).await, [(lost, false)]);
    store.claim(session(&waiting), &owner("two")).await.unwrap();
}

/// Counted from then on, and it is told from one that was lost.
pub async fn a_released_session_is_swept_up_when_it_has_lingered(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let me = Owner {
        linger: LINGER,
        ..owner("me")
    };
    let (released, lost) = (SessionId::generate(), SessionId::generate());
    let claim = store.claim(session(&released), &me).await.unwrap();
    store
        .claim(session(&lost), &brief_owner("lost"))
        .await
        .unwrap();
    store.release(&me, &lease(&claim)).await.unwrap();
    assert_eq!(swept(store.as_ref()).await, []);
    tokio::time::sleep(LEASE + LINGER + SLACK).await;
    let mut found = swept(store.as_ref()).await;
    found.sort();
    let mut expected = [(released, true), (lost, false)];
    expected.sort();
    assert_eq!(found, expected);
}

/// Neither when it was finalized nor when somebody claimed it and left it so.
pub async fn a_finalized_session_is_never_swept_up(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    for reopen in [false, true] {
        let id = SessionId::generate();
        let claim = store
            .claim(session(&id), &brief_owner("one"))
            .await
            .unwrap();
        let bodies = [started(), ended(None, Metrics::default())];
        write(store.as_ref(), append(&id, claim.fence, bodies))
            .await
            .unwrap();
        if reopen {
            store
                .claim(session(&id), &brief_owner("two"))
                .await
                .unwrap();
        }
    }
    tokio::time::sleep(LEASE + LINGER + SLACK).await;
    assert_eq!(swept(store.as_ref()).await, []);
}

/// And a session that was reopened is swept up like any other.
pub async fn a_claim_and_a_renewal_take_a_session_out_of_the_sweep(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let me = brief_owner("me");
    let claimed_again = opened(store.as_ref(), &me).await;
    let id = SessionId::generate();
    let renewed = store.claim(session(&id), &me).await.unwrap();
    tokio::time::sleep(LEASE + LINGER + SLACK).await;
    store
        .claim(session(&claimed_again), &owner("me"))
        .await
        .unwrap();
    store.renew(&owner("me"), &[lease(&renewed)]).await.unwrap();
    assert_eq!(swept(store.as_ref()).await, []);

    let bodies = [ended(None, Metrics::default()), started()];
    write(store.as_ref(), append(&id, renewed.fence, bodies))
        .await
        .unwrap();
    let again = store.claim(session(&id), &me).await.unwrap();
    write(store.as_ref(), append(&id, again.fence, [started()]))
        .await
        .unwrap();
    tokio::time::sleep(LEASE + LINGER + SLACK).await;
    assert_eq!(swept(store.as_ref()).await, [(id, false)]);
}

/// A session that `owner` has opened.
async fn opened(store: &dyn SessionStore, owner: &Owner) -> SessionId {
    let id = SessionId::generate();
    let claim = store.claim(session(&id), owner).await.unwrap();
    write(store, append(&id, claim.fence, [started()]))
        .await
        .unwrap();
    id
}

/// What a sweep finds, and whether it was released.
async fn swept(store: &dyn SessionStore) -> Vec<(SessionId, bool)> {
    let swept = store.sweep(&owner("sweeper"), 100).await.unwrap();
    swept
        .into_iter()
        .map(|swept| (swept.claimed.record.session_id, swept.was_released))
        .collect()
}
