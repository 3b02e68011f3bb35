//! Sessions page by page.

use std::collections::BTreeSet;

use patter_protocol::{SessionId, Timestamp};
use patter_store::{ImportedSession, ListQuery, NewSession, SessionPosition, SessionRecord};

use super::{ArchiveFixture, ArchivedStore, imported, moment};
use crate::store_conformance::sample::{append, claimed, ended, metrics, session, write};

/// Whenever they were stored.
pub async fn the_newest_come_first(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    for millis in [5, 1, 9, 3] {
        import(store.as_ref(), &format!("s{millis}"), millis).await;
    }
    let created = store.create(session(&SessionId::generate())).await.unwrap();
    let listed = page(store.as_ref(), 10, None).await;
    assert_eq!(
        listed.first(),
        Some(&created),
        "with all that is known of it"
    );
    assert_eq!(ids(&listed)[1..], ["s9", "s5", "s3", "s1"]);
    assert!(page(store.as_ref(), 0, None).await.is_empty());
}

/// In the order of their names, which is that of the bytes.
pub async fn sessions_of_one_millisecond_are_listed_once_each(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let mut names: Vec<_> = (0..90).map(|n| format!("s{n}")).collect();
    names.extend(["a-b", "a.b", "aB", "A", "Z", "a"].map(str::to_owned));
    for name in &names {
        import(store.as_ref(), name, 7).await;
    }
    import(store.as_ref(), "older", 6).await;
    import(store.as_ref(), "newer", 8).await;
    names.sort_unstable_by(|a, b| b.cmp(a));
    names.insert(0, "newer".to_owned());
    names.push("older".to_owned());
    for limit in [1, 7, 98, 1_000] {
        assert_eq!(
            all_pages(store.as_ref(), limit).await,
            names,
            "limit {limit}"
        );
    }
}

/// User, activity, time, and all of it together.
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

/// What was there all the time is listed once; the place of one that was deleted is still a place.
pub async fn pages_meet_while_sessions_come_and_go(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    // Ten in each millisecond, of which every other one goes as soon as it was listed.
    let mut stay = BTreeSet::new();
    for number in 0..60_i64 {
        let name = format!(
            "{}-{number:02}",
            if number % 2 == 0 { "stay" } else { "go" }
        );
        import(store.as_ref(), &name, number / 10).await;
        if number % 2 == 0 {
            stay.insert(name);
        }
    }
    let mut seen = Vec::new();
    let mut before = None;
    for round in 0.. {
        let listed = page(store.as_ref(), 3, before).await;
        let Some(last) = listed.last() else {
            break;
        };
        before = Some(SessionPosition::from(last));
        for record in &listed {
            let name = record.session_id.as_str().to_owned();
            if name.starts_with("go") {
                assert!(store.delete(&record.session_id).await.unwrap());
            }
            seen.push(name);
        }
        import(
            store.as_ref(),
            &format!("new-{round}"),
            i64::from(round % 7),
        )
        .await;
    }
    let unique: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(unique.len(), seen.len(), "listed twice: {seen:?}");
    assert!(stay.is_subset(&unique), "not listed: {seen:?}");
}

async fn import(store: &dyn ArchivedStore, name: &str, millis: i64) {
    let given = imported(name.parse().unwrap(), moment(millis));
    store.import(given).await.unwrap();
}

async fn page(
    store: &dyn ArchivedStore,
    limit: u32,
    before: Option<SessionPosition>,
) -> Vec<SessionRecord> {
    let query = ListQuery {
        limit,
        before,
        ..ListQuery::default()
    };
    store.list(&query).await.unwrap()
}

async fn all_pages(store: &dyn ArchivedStore, limit: u32) -> Vec<String> {
    let mut names = Vec::new();
    let mut before = None;
    loop {
        let listed = page(store, limit, before).await;
        let Some(last) = listed.last() else {
            return names;
        };
        before = Some(SessionPosition::from(last));
        names.extend(ids(&listed).into_iter().map(str::to_owned));
    }
}

fn ids(records: &[SessionRecord]) -> Vec<&str> {
    let ids = records.iter().map(|record| record.session_id.as_str());
    ids.collect()
}
