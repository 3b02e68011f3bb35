//! A session belongs to one process while that one's lease holds.

use std::time::Duration;

use patter_protocol::{Metrics, SessionId};
use patter_store::{Claimed, Fence, Lease, Renewal, SessionStore, StoreError};

use super::StoreFixture;
use super::sample::{
    LEASE, append, brief_owner, claimed, ended, lease, message, owner, session, started, write,
};

/// And its owner keeps it: the refused claim changes nothing.
pub async fn a_session_is_its_owners_while_the_lease_holds(fixture: &dyn StoreFixture) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    let (id, claim) = claimed(store.as_ref()).await;
    let before = store.session(&id).await.unwrap();
    let refused = other.claim(session(&id), &owner("other")).await;
    let Err(StoreError::Owned {
        session_id,
        free_in,
    }) = refused
    else {
        unreachable!("{refused:?}")
    };
    assert_eq!(session_id, id);
    assert!(
        free_in > Duration::from_secs(500) && free_in <= owner("test").lease,
        "{free_in:?}"
    );
    assert_eq!(store.session(&id).await.unwrap(), before);
    write(store.as_ref(), append(&id, claim.fence, [message("a")]))
        .await
        .unwrap();
}

/// As often as it likes, and each time what it had before is void.
pub async fn the_same_owner_may_claim_again(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, first) = claimed(store.as_ref()).await;
    let second = store.claim(session(&id), &owner("test")).await.unwrap();
    assert!(second.fence > first.fence);
    assert!(!second.created);
    let renewal = store.renew(&owner("test"), &[lease(&first)]).await;
    assert_eq!(renewal.unwrap().lost, std::slice::from_ref(&id));
    let renewal = store.renew(&owner("test"), &[lease(&second)]).await;
    assert_eq!(renewal.unwrap(), Renewal::default());
}

/// The one before cannot write any more, whatever it believes.
pub async fn a_lease_that_has_run_out_is_taken_over(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, first) = briefly_claimed(store.as_ref(), "one").await;
    let refused = store.claim(session(&id), &owner("two")).await;
    let Err(StoreError::Owned { free_in, .. }) = refused else {
        unreachable!("{refused:?}")
    };
    assert!(free_in <= LEASE, "{free_in:?}");
    tokio::time::sleep(LEASE).await;
    let second = store.claim(session(&id), &owner("two")).await.unwrap();
    assert!(second.fence > first.fence);
    assert_fenced(store.as_ref(), &first).await;
}

/// Those of others, those that were claimed again, and those that are not there.
pub async fn a_renewal_tells_which_leases_are_lost(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let me = owner("test");
    let (_, mine) = claimed(store.as_ref()).await;
    let (_, also_mine) = claimed(store.as_ref()).await;
    let (taken, lost) = briefly_claimed(store.as_ref(), "test").await;
    tokio::time::sleep(LEASE).await;
    let now_theirs = store.claim(session(&taken), &owner("other")).await;
    let theirs = lease(&now_theirs.unwrap());
    let (given_back, released) = claimed(store.as_ref()).await;
    store.release(&me, &lease(&released)).await.unwrap();
    let unknown = SessionId::generate();
    let leases = [
        lease(&mine),
        lease(&lost),
        lease(&also_mine),
        lease(&released),
        Lease {
            session_id: unknown.clone(),
            fence: Fence(1),
        },
    ];
    let mut answer = store.renew(&me, &leases).await.unwrap().lost;
    answer.sort();
    let mut expected = [taken.clone(), given_back, unknown];
    expected.sort();
    assert_eq!(answer, expected);
    // Not even with the right fence.
    assert_eq!(store.renew(&me, &[theirs]).await.unwrap().lost, [taken]);
    assert_eq!(store.renew(&me, &[]).await.unwrap(), Renewal::default());
}

/// As long as nobody else has claimed it.
pub async fn a_lease_that_has_run_out_can_be_renewed(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = briefly_claimed(store.as_ref(), "one").await;
    tokio::time::sleep(LEASE).await;
    let renewal = store.renew(&owner("one"), &[lease(&claim)]).await;
    assert_eq!(renewal.unwrap(), Renewal::default());
    let refused = store.claim(session(&id), &owner("two")).await;
    assert!(
        matches!(refused, Err(StoreError::Owned { .. })),
        "{refused:?}"
    );
}

/// Also thousands of them, in any order.
pub async fn many_leases_are_renewed_at_once(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let mut leases = Vec::new();
    for _ in 0..20 {
        leases.push(lease(&claimed(store.as_ref()).await.1));
    }
    let missing = |_| Lease {
        session_id: SessionId::generate(),
        fence: Fence(1),
    };
    let lost: Vec<_> = (0..2_500).map(missing).collect();
    let all: Vec<_> = lost.iter().chain(&leases).rev().cloned().collect();
    let mut answer = store.renew(&owner("test"), &all).await.unwrap().lost;
    answer.sort();
    let mut expected: Vec<_> = lost.into_iter().map(|lease| lease.session_id).collect();
    expected.sort();
    assert_eq!(answer, expected);
}

/// Nothing that a reader sees has changed.
pub async fn a_renewal_does_not_touch_what_readers_see(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let before = store.session(&id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    store.renew(&owner("test"), &[lease(&claim)]).await.unwrap();
    assert_eq!(store.session(&id).await.unwrap(), before);
    write(store.as_ref(), append(&id, claim.fence, [message("a")]))
        .await
        .unwrap();
    let after = store.session(&id).await.unwrap().unwrap();
    assert!(after.updated_at > before.unwrap().updated_at);
}

/// At once.
pub async fn a_session_that_was_let_go_of_is_anybodys(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, first) = claimed(store.as_ref()).await;
    store.release(&owner("test"), &lease(&first)).await.unwrap();
    // Its fence is good until somebody comes.
    write(store.as_ref(), append(&id, first.fence, [message("late")]))
        .await
        .unwrap();
    let second = store.claim(session(&id), &owner("two")).await.unwrap();
    assert!(second.fence > first.fence);
    assert_fenced(store.as_ref(), &first).await;
    // The first is late: it is not its session that it lets go of.
    store.release(&owner("test"), &lease(&first)).await.unwrap();
    store
        .release(&owner("test"), &lease(&second))
        .await
        .unwrap();
    let refused = store.claim(session(&id), &owner("three")).await;
    assert!(
        matches!(refused, Err(StoreError::Owned { .. })),
        "{refused:?}"
    );
}

/// The fence stays good until the next claim.
pub async fn the_end_gives_the_lease_back(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, first) = claimed(store.as_ref()).await;
    let end = [started(), ended(None, Metrics::default())];
    write(store.as_ref(), append(&id, first.fence, end))
        .await
        .unwrap();
    let renewal = store.renew(&owner("test"), &[lease(&first)]).await;
    assert_eq!(renewal.unwrap().lost, std::slice::from_ref(&id));
    write(store.as_ref(), append(&id, first.fence, [message("late")]))
        .await
        .unwrap();
    let second = store.claim(session(&id), &owner("two")).await.unwrap();
    assert!(second.fence > first.fence);
    assert!(!second.record.is_active);
    assert_fenced(store.as_ref(), &first).await;
}

/// Two processes with one client each that come at the same moment.
pub async fn of_several_that_claim_at_once_one_has_the_session(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    for _ in 0..10 {
        let id = SessionId::generate();
        let owners: Vec<_> = (0..6).map(|n| owner(&format!("node-{n}"))).collect();
        let claiming = owners.iter().map(|owner| store.claim(session(&id), owner));
        let answers = futures_util::future::join_all(claiming).await;
        let claims = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(claims, 1, "{answers:?}");
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert!(matches!(refused, StoreError::Owned { .. }), "{refused:?}");
        }
    }
}

/// However many sessions both are about, and in whatever order they are given.
pub async fn renewals_and_appends_do_not_wait_for_each_other(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let mut claims = Vec::new();
    for _ in 0..20 {
        claims.push(claimed(store.as_ref()).await.1);
    }
    let me = owner("test");
    let appending = async |claims: Vec<&Claimed>| {
        for _ in 0..30 {
            let entry =
                |claim: &&Claimed| append(&claim.record.session_id, claim.fence, [message("a")]);
            for answer in store.append(claims.iter().map(entry).collect()).await {
                answer.unwrap();
            }
        }
    };
    let renewing = async |leases: Vec<Lease>| {
        for _ in 0..30 {
            let renewal = store.renew(&me, &leases).await.unwrap();
            assert_eq!(renewal.lost, []);
        }
        leases
    };
    let ((), (), leases, _) = futures_util::join!(
        appending(claims.iter().collect()),
        appending(claims.iter().rev().collect()),
        renewing(claims.iter().map(lease).collect()),
        renewing(claims.iter().rev().map(lease).collect()),
    );
    let undisturbed = store.renew(&me, &leases).await.unwrap();
    assert_eq!(undisturbed, Renewal::default());
}

async fn briefly_claimed(store: &dyn SessionStore, name: &str) -> (SessionId, Claimed) {
    let id = SessionId::generate();
    let claim = store.claim(session(&id), &brief_owner(name)).await.unwrap();
    (id, claim)
}

async fn assert_fenced(store: &dyn SessionStore, claim: &Claimed) {
    let id = &claim.record.session_id;
    let refused = write(store, append(id, claim.fence, [message("too late")])).await;
    assert!(
        matches!(refused, Err(StoreError::Fenced { .. })),
        "{refused:?}"
    );
}
