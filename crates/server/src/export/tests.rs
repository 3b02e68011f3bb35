//! What is exported is what was said, and what is imported is what was exported.

mod importing;
mod markdown;

use std::sync::Arc;

use futures_util::TryStreamExt;
use patter_protocol::{EventBody, JsonObject, ResponseId, SessionId};
use patter_store::{ImportedSession, SessionArchive, SessionStore, SqliteStore, StoreError};
use patter_testkit::store_conformance::archive::{imported, log_from, moment};
use patter_testkit::store_conformance::sample::{
    answer, ended, every_kind, message, metrics, started, summary, tool_result,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ExportFormat, export, read};

/// A store in a folder that goes away with it.
struct Files {
    store: Arc<SqliteStore>,
    _folder: TempDir,
}

impl Files {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(folder.path().join("patter.db")).await;
        Self {
            store: Arc::new(store.unwrap()),
            _folder: folder,
        }
    }

    /// The pieces of an export.
    async fn pieces(&self, id: &SessionId, format: ExportFormat) -> Vec<String> {
        let record = self.store.session(id).await.unwrap().unwrap();
        let pieces = export(self.store.clone(), record, format);
        let pieces: Vec<_> = pieces.try_collect().await.unwrap();
        let text = |piece: &bytes::Bytes| String::from_utf8(piece.to_vec()).unwrap();
        pieces.iter().map(text).collect()
    }

    async fn text(&self, id: &SessionId, format: ExportFormat) -> String {
        self.pieces(id, format).await.concat()
    }
}

/// A session that was over after these events.
fn session(bodies: impl IntoIterator<Item = EventBody>) -> ImportedSession {
    let metadata = json!({"title": "Sums", "tags": ["a", 1.0]});
    ImportedSession {
        user_id: Some("ada".to_owned()),
        metadata: metadata.as_object().unwrap().clone(),
        events: log_from(moment(1), bodies),
        ..imported(SessionId::generate(), moment(1))
    }
}

#[tokio::test]
async fn json_holds_the_session_and_its_events() {
    let files = Files::new().await;
    let given = session(every_kind());
    files.store.import(given.clone()).await.unwrap();
    let text = files.text(&given.session_id, ExportFormat::Json).await;
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["session"]["session_id"], json!(given.session_id));
    assert_eq!(document["session"]["metadata"], json!(given.metadata));
    assert_eq!(document["session"]["metrics"], json!(metrics()));
    assert_eq!(document["events"], json!(given.events));

    let empty = session([]);
    files.store.import(empty.clone()).await.unwrap();
    let text = files.text(&empty.session_id, ExportFormat::Json).await;
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["events"], json!([]));
}

#[tokio::test]
async fn lines_hold_a_header_and_an_event_each() {
    let files = Files::new().await;
    let given = session(every_kind());
    files.store.import(given.clone()).await.unwrap();
    let text = files.text(&given.session_id, ExportFormat::Jsonl).await;
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["format"], "patter-session");
    assert_eq!(lines[0]["version"], 1);
    assert_eq!(lines[0]["session"]["last_seq"], given.events.len());
    assert_eq!(json!(lines[1..]), json!(given.events));
    assert!(text.ends_with('\n'));
}

#[tokio::test]
async fn a_long_session_comes_in_small_pieces() {
    let files = Files::new().await;
    let given = session((0..1_000).map(|n| message(&n.to_string())));
    files.store.import(given.clone()).await.unwrap();
    for format in [
        ExportFormat::Jsonl,
        ExportFormat::Json,
        ExportFormat::Markdown,
    ] {
        let pieces = files.pieces(&given.session_id, format).await;
        assert_eq!(pieces.len(), 42, "a head, forty pages, a tail");
        assert!(pieces.iter().all(|piece| piece.len() < 100_000));
    }
}

#[tokio::test]
async fn what_is_added_meanwhile_is_not_exported_and_a_deletion_is_an_error() {
    let files = Files::new().await;
    let given = session((0..300).map(|n| message(&n.to_string())));
    files.store.import(given.clone()).await.unwrap();
    let mut record = files
        .store
        .session(&given.session_id)
        .await
        .unwrap()
        .unwrap();
    record.last_seq = 250;
    let pieces = export(files.store.clone(), record.clone(), ExportFormat::Jsonl);
    let pieces: Vec<_> = pieces.try_collect().await.unwrap();
    assert_eq!(
        pieces
            .concat()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        251
    );

    let mut pieces = Box::pin(export(files.store.clone(), record, ExportFormat::Jsonl));
    for _ in 0..2 {
        pieces.try_next().await.unwrap().unwrap();
    }
    assert!(files.store.delete(&given.session_id).await.unwrap());
    let error = pieces.try_next().await.unwrap_err();
    assert!(
        matches!(error, StoreError::NoSuchSession { .. }),
        "{error:?}"
    );
}

/// Text as people and models write it, and as nobody does.
fn text() -> impl Strategy<Value = String> {
    let any = any::<String>().prop_map(|text| text.replace('\0', "0"));
    prop_oneof![
        any,
        "[ -~\n\r]{0,40}",
        "(<[a-z/!]|#|>|```|\n|\\\\|& ){0,12}"
    ]
}

fn body() -> impl Strategy<Value = EventBody> {
    let object = |text: String| JsonObject::from_iter([(text.clone(), Value::String(text))]);
    prop_oneof![
        text().prop_map(|text| message(&text)),
        text().prop_map(|text| answer(ResponseId::generate(), &text)),
        text().prop_map(move |text| {
            tool_result(
                patter_protocol::CallId::generate(),
                Value::Object(object(text)),
            )
        }),
        text().prop_map(|text| ended(Some(&text), metrics())),
        text().prop_map(|text| summary(&text)),
        Just(started()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_imported_is_exported_again(
        bodies in prop::collection::vec(body(), 0..12),
        user_id in proptest::option::of(text()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let files = Files::new().await;
            let given = ImportedSession { user_id, ..session(bodies) };
            let (first, second) = (given.session_id.clone(), SessionId::generate());
            files.store.import(given).await.unwrap();
            let file = files.text(&first, ExportFormat::Jsonl).await;
            let again = ImportedSession {
                session_id: second.clone(),
                ..read(file.as_bytes()).unwrap()
            };
            files.store.import(again).await.unwrap();
            let epoch = async |id: &SessionId| {
                files.store.session(id).await.unwrap().unwrap().epoch.to_string()
            };
            let (old, new) = (epoch(&first).await, epoch(&second).await);
            let copy = files.text(&second, ExportFormat::Jsonl).await;
            let copy = copy.replace(second.as_str(), first.as_str()).replace(&new, &old);
            assert_eq!(copy, file);
            assert_ne!(new, old);
        });
    }
}

/// Input 94.
#[tokio::test]
async fn no_tag_begins_in_an_export_as_json_and_it_is_read_as_it_was_said() {
    let files = Files::new().await;
    let said = "</script><img src=x onerror=alert(1)> <";
    let session = session([started(), message(said), ended(None, metrics())]);
    let id = session.session_id.clone();
    files.store.import(session).await.unwrap();
    for format in [ExportFormat::Json, ExportFormat::Jsonl] {
        let text = files.text(&id, format).await;
        assert!(!text.contains('<'), "{text}");
        assert!(text.contains(r"\u003c/script>"), "{text}");
    }
    let whole: Value = serde_json::from_str(&files.text(&id, ExportFormat::Json).await).unwrap();
    assert_eq!(whole["events"][1]["content"], said);
}
