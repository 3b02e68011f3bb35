//! Sessions that come from elsewhere.

use patter_protocol::{DurableEvent, MessageId, SessionId};
use patter_store::{ImportedSession, StoreError, StoredEvent};
use serde_json::json;

use super::{ArchiveFixture, ArchivedStore, imported, log_from, moment};
use crate::store_conformance::sample::{
    append, claimed, ended, every_kind, log_of, message, message_with_id, metrics, owner, session,
    started, stored_from, summary, write,
};

/// But for its epoch.
pub async fn an_imported_session_is_what_it_was(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let metadata = json!({"title": "Sums", "metrics": "not the server's"});
    let bodies = every_kind()
        .into_iter()
        .chain([ended(Some("Sums."), metrics())]);
    let given = ImportedSession {
        user_id: Some("ada".to_owned()),
        metadata: metadata.as_object().unwrap().clone(),
        events: log_from(moment(5), bodies),
        ..imported(SessionId::generate(), moment(5))
    };
    let record = store.import(given.clone()).await.unwrap();
    assert_eq!(record.session_id, given.session_id);
    assert_eq!(record.user_id, given.user_id);
    assert_eq!(record.start_time, moment(5));
    assert_eq!(record.end_time, given.events.last().map(|last| last.at));
    assert!(!record.is_active);
    assert_eq!(record.summary.as_deref(), Some("Sums."));
    let metadata = json!({"title": "Sums", "metrics": metrics()});
    assert_eq!(json!(record.metadata), metadata);
    assert_eq!(record.last_seq, given.events.len() as u64);
    assert_eq!(
        events_of(store.as_ref(), &given.session_id).await,
        given.events
    );
    let stored = store.session(&given.session_id).await.unwrap();
    assert_eq!(stored, Some(record));
}

/// Behind its log.
pub async fn an_imported_session_is_opened_and_continued(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let id = SessionId::generate();
    let bodies = [started(), message("a"), ended(None, metrics())];
    let given = ImportedSession {
        events: log_from(moment(0), bodies),
        ..imported(id.clone(), moment(0))
    };
    store.import(given.clone()).await.unwrap();
    assert!(store.sweep(&owner("sweeper"), 10).await.unwrap().is_empty());
    let claim = store.claim(session(&id), &owner("one")).await.unwrap();
    assert!(!claim.created && !claim.record.is_active);
    let more = append(&id, claim.fence, [started(), message("b")]);
    let places = write(store.as_ref(), more).await.unwrap();
    assert_eq!(places, stored_from(4, 2));
    let record = store.session(&id).await.unwrap().unwrap();
    assert!(record.is_active);
    assert_eq!(record.start_time, moment(0));
    assert_eq!(events_of(store.as_ref(), &id).await[..3], given.events);
}

/// Whoever has it.
pub async fn an_import_under_a_name_that_is_taken_changes_nothing(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let (id, claim) = claimed(store.as_ref()).await;
    write(store.as_ref(), append(&id, claim.fence, [started()]))
        .await
        .unwrap();
    let before = store.session(&id).await.unwrap();
    let given = ImportedSession {
        events: log_from(moment(0), [started(), message("a")]),
        ..imported(id.clone(), moment(0))
    };
    let refused = store.import(given).await;
    assert!(
        matches!(&refused, Err(StoreError::Exists { session_id }) if *session_id == id),
        "{refused:?}"
    );
    assert_eq!(store.session(&id).await.unwrap(), before);
    assert_eq!(log_of(store.as_ref(), &id).await.len(), 1);
}

/// Gaps, a wrong start, an event twice, a message twice, what no database keeps.
pub async fn a_log_that_is_not_whole_is_refused_whole(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let whole = || log_from(moment(0), (0..4).map(|n| message(&n.to_string())));
    let changed = |change: fn(&mut Vec<DurableEvent>)| {
        let mut log = whole();
        change(&mut log);
        log
    };
    let id = MessageId::generate();
    let twice = [message_with_id(id.clone(), "a"), message_with_id(id, "b")];
    for log in [
        changed(|log| drop(log.remove(2))),
        changed(|log| drop(log.remove(0))),
        changed(|log| log.swap(1, 2)),
        changed(|log| log[3].event_id = log[0].event_id),
        log_from(moment(0), twice),
        log_from(moment(0), [message("fine"), message("not\0")]),
    ] {
        let given = ImportedSession {
            events: log,
            ..imported(SessionId::generate(), moment(0))
        };
        let id = given.session_id.clone();
        let refused = store.import(given).await;
        assert!(
            matches!(refused, Err(StoreError::Rejected(_))),
            "{refused:?}"
        );
        assert_eq!(store.session(&id).await.unwrap(), None);
        assert!(log_of(store.as_ref(), &id).await.is_empty());
    }
}

/// That of a session that was exported while it was active, or before it began.
pub async fn a_log_without_an_end_ends_with_its_last_event(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let reopened = [
        started(),
        ended(Some("old"), metrics()),
        started(),
        message("a"),
    ];
    for (events, end_time, is_summarized) in [
        (
            log_from(moment(0), [started(), message("a")]),
            moment(2_000),
            false,
        ),
        (log_from(moment(0), reopened), moment(4_000), true),
        (Vec::new(), moment(7), false),
    ] {
        let given = ImportedSession {
            events,
            ..imported(SessionId::generate(), moment(7))
        };
        let record = store.import(given).await.unwrap();
        assert!(!record.is_active);
        assert_eq!(record.end_time, Some(end_time));
        assert_eq!(record.summary.is_some(), is_summarized);
        assert_eq!(record.metadata.contains_key("metrics"), is_summarized);
    }
}

/// In place of the one that the end did not have.
pub async fn a_late_summary_is_imported(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let late = [started(), ended(None, metrics()), summary("At last.")];
    let given = ImportedSession {
        events: log_from(moment(0), late),
        ..imported(SessionId::generate(), moment(0))
    };
    let record = store.import(given).await.unwrap();
    assert_eq!(record.summary.as_deref(), Some("At last."));
    assert_eq!(record.end_time, Some(moment(2_000)));
}

/// Longer than what one statement takes.
pub async fn a_long_log_is_imported_whole(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let given = ImportedSession {
        events: log_from(moment(0), (0..1_501).map(|n| message(&n.to_string()))),
        ..imported(SessionId::generate(), moment(0))
    };
    store.import(given.clone()).await.unwrap();
    assert_eq!(
        events_of(store.as_ref(), &given.session_id).await,
        given.events
    );
}

async fn events_of(store: &dyn ArchivedStore, session_id: &SessionId) -> Vec<DurableEvent> {
    let log = log_of(store, session_id).await;
    let public = |stored: StoredEvent| {
        assert_eq!(stored.private, None);
        stored.event
    };
    log.into_iter().map(public).collect()
}
