//! Sessions page by page.

use std::collections::BTreeSet;

use patter_protocol::SessionId;
use patter_store::{ListQuery, SessionPosition, SessionRecord};

use super::{ArchiveFixture, ArchivedStore, imported, moment};
use crate::store_conformance::sample::session;

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

pub(super) async fn import(store: &dyn ArchivedStore, name: &str, millis: i64) {
    let given = imported(name.parse().unwrap(), moment(millis));
    store.import(given).await.unwrap();
}

pub(super) async fn page(
    store: &dyn ArchivedStore,
    limit: u32,
    before: Option<SessionPosition>,
) -> Vec<SessionRecord> {
    let query = ListQuery {
        limit,
        before,
        ..ListQuery::default()
    };
    store.list(&query).await.unwrap().sessions
}

async fn all_pages(store: &dyn ArchivedStore, limit: u32) -> Vec<String> {
    let mut names = Vec::new();
    let mut before = None;
    loop {
        let query = ListQuery {
            limit,
            before,
            ..ListQuery::default()
        };
        let listed = store.list(&query).await.unwrap();
        names.extend(ids(&listed.sessions).into_iter().map(str::to_owned));
        if !listed.has_more {
            return names;
        }
        let last = listed.sessions.last();
        before = Some(SessionPosition::from(last.expect("more behind nothing")));
    }
}

pub(super) fn ids(records: &[SessionRecord]) -> Vec<&str> {
    let ids = records.iter().map(|record| record.session_id.as_str());
    ids.collect()
}
