//! Sessions of a kind.

use patter_protocol::Timestamp;
use patter_store::{ImportedSession, ListQuery, NewSession, SessionPosition};

use super::listing::{ids, import, page};
use super::{ArchiveFixture, ArchivedStore, imported, moment};
use crate::store_conformance::sample::session;

/// Or to nobody, of whom there is none.
pub async fn a_list_is_bound_to_a_user(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    fill(store.as_ref()).await;
    expect(
        store.as_ref(),
        all(),
        &["live", "s5", "s4", "s3", "s2", "s1", "s0"],
    )
    .await;
    expect(store.as_ref(), adas(), &["live", "s4", "s2", "s0"]).await;
    let nobody = ListQuery {
        user_id: Some(String::new()),
        ..all()
    };
    expect(store.as_ref(), nobody, &[]).await;
}

/// What was not opened yet is active.
pub async fn a_list_is_bound_to_what_is_active_or_not(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    fill(store.as_ref()).await;
    let of = |active, query| ListQuery {
        active: Some(active),
        ..query
    };
    let ended = ["s5", "s4", "s3", "s2", "s1", "s0"];
    expect(store.as_ref(), of(true, all()), &["live"]).await;
    expect(store.as_ref(), of(false, all()), &ended).await;
    expect(store.as_ref(), of(false, adas()), &["s4", "s2", "s0"]).await;
}

/// From the first of the times on, and until before the second.
pub async fn a_list_is_bound_to_a_time(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    fill(store.as_ref()).await;
    let within = |from: i64, to: i64, query| ListQuery {
        from: Some(moment(from)),
        to: Some(moment(to)),
        ..query
    };
    expect(store.as_ref(), within(4, 1_000, all()), &["s5", "s4"]).await;
    expect(store.as_ref(), within(1, 4, all()), &["s3", "s2", "s1"]).await;
    expect(store.as_ref(), within(1, 4, adas()), &["s2"]).await;
    expect(store.as_ref(), within(4, 4, all()), &[]).await;
    let since = ListQuery {
        from: Some(moment(5)),
        ..all()
    };
    expect(store.as_ref(), since, &["live", "s5"]).await;
    let everything = ListQuery {
        active: Some(false),
        limit: 1,
        before: Some(SessionPosition {
            start_time: moment(4),
            session_id: "s4".parse().unwrap(),
        }),
        ..within(1, 1_000, adas())
    };
    expect(store.as_ref(), everything, &["s2"]).await;
}

/// Six that are over, every other one of them Ada's, and one of hers that was just made.
async fn fill(store: &dyn ArchivedStore) {
    for millis in 0..6 {
        let given = ImportedSession {
            user_id: (millis % 2 == 0).then(|| "ada".to_owned()),
            ..imported(format!("s{millis}").parse().unwrap(), moment(millis))
        };
        store.import(given).await.unwrap();
    }
    let live = NewSession {
        user_id: Some("ada".to_owned()),
        ..session(&"live".parse().unwrap())
    };
    store.create(live).await.unwrap();
}

async fn expect(store: &dyn ArchivedStore, query: ListQuery, expected: &[&str]) {
    let listed = store.list(&query).await.unwrap();
    assert_eq!(ids(&listed.sessions), expected, "{query:?}");
    assert!(!listed.has_more, "{query:?}");
}

fn all() -> ListQuery {
    ListQuery {
        limit: 100,
        ..ListQuery::default()
    }
}

fn adas() -> ListQuery {
    ListQuery {
        user_id: Some("ada".to_owned()),
        ..all()
    }
}

/// They are before or behind all.
pub async fn times_that_no_session_can_have_are_fine(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    import(store.as_ref(), "s", 0).await;
    let time = |text: &str| -> Timestamp { serde_json::from_value(text.into()).unwrap() };
    let (early, late) = (
        time("-0500-01-01T00:00:00Z"),
        time("+20000-01-01T00:00:00Z"),
    );
    let range = async |from, to| {
        let query = ListQuery {
            from: Some(from),
            to: Some(to),
            limit: 10,
            ..ListQuery::default()
        };
        store.list(&query).await.unwrap().sessions.len()
    };
    assert_eq!(range(early, late).await, 1);
    assert_eq!(range(late, late).await, 0);
    assert_eq!(range(early, early).await, 0);
    for (start_time, count) in [(early, 0), (late, 1)] {
        let behind = SessionPosition {
            start_time,
            session_id: "x".parse().unwrap(),
        };
        assert_eq!(page(store.as_ref(), 10, Some(behind)).await.len(), count);
    }
}
