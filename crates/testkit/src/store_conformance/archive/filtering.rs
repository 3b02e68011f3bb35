//! Sessions of a kind.

use patter_protocol::Timestamp;
use patter_store::{ImportedSession, ListQuery, NewSession, SessionPosition};

use super::listing::{ids, import, page};
use super::{ArchiveFixture, imported, moment};
use crate::store_conformance::sample::{append, claimed, ended, metrics, session, write};

/// User, activity, time, and all of it together.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
pub async fn a_list_is_bound_to_what_is_asked_for(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
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
    let (over, claim) = claimed(store.as_ref()).await;
    let end = append(&over, claim.fence, [ended(None, metrics())]);
    write(store.as_ref(), end).await.unwrap();

    let all = || ListQuery {
        limit: 100,
        ..ListQuery::default()
    };
    let ada = || ListQuery {
        user_id: Some("ada".to_owned()),
        ..all()
    };
    let past = |query| ListQuery {
        to: Some(moment(1_000)),
        ..query
    };
    for (query, expected) in [
        (past(all()), &["s5", "s4", "s3", "s2", "s1", "s0"][..]),
        (ada(), &["live", "s4", "s2", "s0"]),
        (
            ListQuery {
                user_id: Some(String::new()),
                ..all()
            },
            &[],
        ),
        (
            ListQuery {
                active: Some(true),
                ..all()
            },
            &["live"],
        ),
        (
            ListQuery {
                active: Some(false),
                ..ada()
            },
            &["s4", "s2", "s0"],
        ),
        (
            ListQuery {
                active: Some(true),
                ..past(all())
            },
            &[],
        ),
        (
            ListQuery {
                from: Some(moment(4)),
                ..past(all())
            },
            &["s5", "s4"],
        ),
        (
            ListQuery {
                from: Some(moment(1)),
                to: Some(moment(4)),
                ..all()
            },
            &["s3", "s2", "s1"],
        ),
        (
            ListQuery {
                from: Some(moment(1)),
                to: Some(moment(4)),
                ..ada()
            },
            &["s2"],
        ),
        (
            ListQuery {
                from: Some(moment(4)),
                to: Some(moment(4)),
                ..all()
            },
            &[],
        ),
        (
            ListQuery {
                active: Some(false),
                from: Some(moment(1)),
                limit: 1,
                before: Some(SessionPosition {
                    start_time: moment(4),
                    session_id: "s4".parse().unwrap(),
                }),
                ..ada()
            },
            &["s2"],
        ),
    ] {
        let listed = store.list(&query).await.unwrap();
        assert_eq!(ids(&listed), expected, "{query:?}");
    }
    let over = over.as_str();
    let ended = ListQuery {
        active: Some(false),
        from: Some(moment(1_000)),
        ..all()
    };
    assert_eq!(ids(&store.list(&ended).await.unwrap()), [over]);
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
        store.list(&query).await.unwrap().len()
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
