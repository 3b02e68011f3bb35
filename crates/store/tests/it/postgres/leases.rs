//! Leases and sweeps, as far as they are about rows, locks and indexes of a server.

use std::time::Duration;

use patter_protocol::SessionId;
use patter_store::Renewal;
use patter_testkit::store_conformance::StoreFixture;
use patter_testkit::store_conformance::sample::{
    LEASE, brief_owner, claimed, lease, owner, session,
};
use sqlx::Connection;

use super::{FILES, make};

#[tokio::test]
async fn what_was_open_before_there_were_leases_is_swept_up() {
    let database = make().await;
    for file in &FILES[..3] {
        database.0.execute(file).await;
    }
    let row = "insert into patter.sessions (session_id, log_epoch, lease_owner)
               values ('old', gen_random_uuid(), 'a process of then');";
    database.0.execute(row).await;
    let store = database.open().await;
    let before = store.session(&"old".parse().unwrap()).await.unwrap();
    let swept = store.sweep(&owner("now"), 10).await.unwrap();
    assert_eq!(swept.len(), 1);
    assert!(!swept[0].was_released);
    assert_eq!(Some(&swept[0].claimed.record), before.as_ref());
}

#[tokio::test]
async fn a_renewed_lease_is_written_to_no_index() {
    let database = make().await;
    let store = database.open().await;
    let (_, claim) = claimed(store.as_ref()).await;
    for _ in 0..10 {
        let renewal = store.renew(&owner("test"), &[lease(&claim)]).await;
        assert_eq!(renewal.unwrap(), Renewal::default());
    }
    // What a session of the server has counted is told when it ends at the latest.
    store.close().await;
    let mut connection = database.connection().await;
    let mut told = (0, 0);
    for _ in 0..100 {
        told = sqlx::query_as(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables
             where schemaname = 'patter' and relname = 'sessions'",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        if told.0 >= 10_i64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(told, (10, 10_i64));
}

#[tokio::test]
async fn a_session_that_somebody_has_locked_costs_no_other_one_its_lease() {
    let database = make().await;
    let store = database.open().await;
    let me = brief_owner("test");
    let mut ids = Vec::new();
    let mut leases = Vec::new();
    for _ in 0..3 {
        let id = SessionId::generate();
        leases.push(lease(&store.claim(session(&id), &me).await.unwrap()));
        ids.push(id);
    }
    let mut console = database.connection().await;
    let mut open = console.begin().await.unwrap();
    sqlx::query("select from patter.sessions where session_id = $1 for update")
        .bind(ids[1].as_str())
        .execute(&mut *open)
        .await
        .unwrap();
    let renewal = store.renew(&owner("test"), &leases).await.unwrap();
    assert_eq!(renewal.lost, []);
    assert_eq!(renewal.busy, [ids[1].clone()]);
    open.rollback().await.unwrap();
    tokio::time::sleep(LEASE).await;
    for (id, is_free) in [(&ids[0], false), (&ids[1], true), (&ids[2], false)] {
        let claimed = store.claim(session(id), &owner("other")).await;
        assert_eq!(claimed.is_ok(), is_free, "{claimed:?}");
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_read_does_not_keep_others_from_a_sweep() {
    let database = make().await;
    let store = database.open().await;
    // Nobody who uses a store can give a session such a name.
    let rows = "insert into patter.sessions (session_id, log_epoch, finalize_after)
                select id, gen_random_uuid(), now() - interval '1 minute'
                from unnest(array['not a name', 'fine']) id;";
    database.0.execute(rows).await;
    let swept = store.sweep(&owner("now"), 10).await.unwrap();
    let ids: Vec<_> = swept
        .iter()
        .map(|it| &it.claimed.record.session_id)
        .collect();
    assert_eq!(ids, [&"fine".parse::<SessionId>().unwrap()]);
}
