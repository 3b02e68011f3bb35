//! What only PostgreSQL does to stored sessions.

use std::collections::BTreeSet;
use std::time::Duration;

use patter_store::{ListQuery, PostgresStore, SessionArchive, SessionPosition};
use patter_testkit::store_conformance::archive::{imported, moment};
use patter_testkit::store_conformance::sample::{claimed, lease, owner};
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::make;

/// The place of a session has milliseconds.
#[tokio::test]
async fn sessions_that_are_microseconds_apart_are_listed_once_each() {
    let database = make().await;
    let store = PostgresStore::connect(database.options()).await.unwrap();
    // The later within a millisecond, the lower the name, and not only so.
    database
        .0
        .execute(
            "insert into patter.sessions (session_id, log_epoch, start_time)
             select 's' || lpad((n * 7 % 60)::text, 2, '0'), gen_random_uuid(),
                 timestamptz '2026-01-01 00:00:00+00' + n * interval '100 microseconds'
             from generate_series(0, 59) n",
        )
        .await;
    let mut seen = Vec::new();
    let mut query = ListQuery {
        limit: 4,
        ..ListQuery::default()
    };
    loop {
        let page = store.list(&query).await.unwrap();
        query.before = page.sessions.last().map(SessionPosition::from);
        seen.extend(page.sessions.iter().map(SessionPosition::from));
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen.len(), 60);
    let places: BTreeSet<_> = seen
        .iter()
        .map(|place| (place.start_time, place.session_id.as_str()))
        .collect();
    assert_eq!(places.len(), 60);
    let in_order = seen
        .iter()
        .map(|place| (place.start_time, place.session_id.as_str()));
    assert!(in_order.eq(places.into_iter().rev()));
}

#[tokio::test]
async fn a_session_that_cannot_be_read_does_not_end_a_list() {
    let database = make().await;
    let store = PostgresStore::connect(database.options()).await.unwrap();
    // Nobody who uses a store can give a session the name in the middle.
    let rows = "insert into patter.sessions (session_id, log_epoch, start_time)
                select id, gen_random_uuid(), timestamptz '2026-01-01 00:00:00+00' - place * interval '1 hour'
                from unnest(array['a', 'not a name', 'nor this', 'nor that', 'b', 'c']) with ordinality names (id, place);";
    database.0.execute(rows).await;
    for limit in 1..=4 {
        let mut seen = Vec::new();
        let mut query = ListQuery {
            limit,
            ..ListQuery::default()
        };
        loop {
            let page = store.list(&query).await.unwrap();
            query.before = page.sessions.last().map(SessionPosition::from);
            let ids = page.sessions.iter().map(|it| it.session_id.to_string());
            seen.extend(ids);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(seen, ["a", "b", "c"], "limit {limit}");
    }
}

/// However many sessions there are.
#[tokio::test]
async fn pages_and_what_is_old_are_read_from_an_index() {
    let database = make().await;
    let store = PostgresStore::connect(database.options()).await.unwrap();
    database
        .0
        .execute(
            "insert into patter.sessions
                 (session_id, user_id, log_epoch, start_time, end_time, is_active)
             select 's' || n, 'user' || n % 100, gen_random_uuid(), start_time,
                 case when n % 1000 > 0 then start_time end, n % 1000 = 0
             from generate_series(1, 20000) n,
                 lateral (select timestamptz '2026-01-01 00:00:00+00' + n * interval '1 second') t (start_time);
             analyze patter.sessions",
        )
        .await;
    let all = ListQuery {
        limit: 50,
        before: Some(SessionPosition {
            start_time: moment(10_000_000),
            session_id: "s".parse().unwrap(),
        }),
        ..ListQuery::default()
    };
    let user = ListQuery {
        user_id: Some("user7".to_owned()),
        active: Some(false),
        ..all.clone()
    };
    let range = ListQuery {
        from: Some(moment(1_000_000)),
        to: Some(moment(2_000_000)),
        before: None,
        ..all.clone()
    };
    // As often as it takes until the server plans without looking at the values.
    for _ in 0..8 {
        for query in [&all, &user, &range] {
            assert_eq!(store.list(query).await.unwrap().sessions.len(), 50);
        }
    }
    for _ in 0..8 {
        let pruned = store.prune(moment(2_000_000), 10).await.unwrap();
        assert_eq!(pruned.len(), 10);
    }
    // The store's connections hand in their numbers when they end.
    patter_store::SessionStore::close(&store).await;
    let mut connection = database.connection().await;
    let sequential: i64 = loop {
        let (sequential, indexed): (i64, i64) = sqlx::query_as(
            "select seq_tup_read, idx_tup_fetch from pg_stat_user_tables
             where relid = 'patter.sessions'::regclass",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        if indexed >= 24 * 50 {
            break sequential;
        }
        connection.execute("select pg_sleep(0.05)").await.unwrap();
    };
    assert!(
        sequential < 20_000,
        "{sequential} rows were read one after the other"
    );
}

/// Nobody waits for somebody who has one of the sessions in his hands.
#[tokio::test]
async fn a_locked_session_does_not_keep_the_others_from_being_pruned() {
    let database = make().await;
    let store = PostgresStore::connect(database.options()).await.unwrap();
    for number in 0..3 {
        let session = imported(format!("s{number}").parse().unwrap(), moment(number));
        store.import(session).await.unwrap();
    }
    let mut connection = database.connection().await;
    let mut holding = connection.begin().await.unwrap();
    let lock =
        AssertSqlSafe("select from patter.sessions where session_id = 's1' for no key update");
    sqlx::query(lock).execute(&mut *holding).await.unwrap();
    let pruned = tokio::time::timeout(Duration::from_secs(2), store.prune(moment(1_000), 10));
    assert_eq!(pruned.await.unwrap().unwrap().len(), 2);
    holding.rollback().await.unwrap();
    assert_eq!(store.prune(moment(1_000), 10).await.unwrap().len(), 1);
}

/// Of what search would find and what is counted neither.
#[tokio::test]
async fn no_row_is_left_of_a_deleted_session() {
    let database = make().await;
    let store = PostgresStore::connect(database.options()).await.unwrap();
    let (id, claim) = claimed(&store).await;
    let entry = super::append(&id, claim.fence, [super::message("unforgettable")]);
    super::write(&store, entry).await.unwrap();
    patter_store::SessionStore::release(&store, &owner("test"), &lease(&claim))
        .await
        .unwrap();
    assert!(store.delete(&id).await.unwrap());
    let mut connection = database.connection().await;
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from patter.session_events)
              + (select count(*) from patter.search_entries)
              + (select count(*) from patter.message_hours)
              + (select count(*) from patter.sessions)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(left, 0);
}
