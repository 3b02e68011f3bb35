//! Rows of a file as a tool.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::PathBuf;
use std::time::Duration;

use patter_tools::{FileSource, FileSourceError, Tool as _, ToolContext, ToolError};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

const CSV: &str = "sku,name,stock\nA-1,Bolt,7\nB-2,\"Nut, small\",0\nB-3,Nut,12\n";

fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn open(name: &str, content: impl AsRef<[u8]>) -> Result<FileSource, FileSourceError> {
    let (_folder, path) = file(name, content);
    FileSource::open("parts", "Parts in stock.", path)
}

async fn find(source: &FileSource, arguments: Value) -> Result<Value, ToolError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let context = ToolContext::new("session", "call", deadline);
    let arguments = arguments.as_object().cloned().unwrap_or_else(Map::new);
    source.call(arguments, context).await
}

#[tokio::test]
async fn rows_are_found_by_the_values_of_their_columns() {
    let json_rows = json!([
        {"sku": "A-1", "name": "Bolt", "stock": 7},
        {"sku": "B-2", "name": "Nut, small", "stock": 0},
        {"sku": "B-3", "name": "Nut", "stock": 12},
    ]);
    for source in [
        open("parts.csv", CSV).unwrap(),
        open("parts.json", json_rows.to_string()).unwrap(),
    ] {
        let columns = source.spec().parameters["properties"].as_object().unwrap();
        let columns: Vec<_> = columns.keys().collect();
        assert_eq!(columns, ["name", "sku", "stock"]);
        for (wanted, expected) in [
            (json!({"sku": "b-3"}), vec!["B-3"]),
            (json!({"name": " nut, SMALL "}), vec!["B-2"]),
            (json!({"stock": "12", "name": "nut"}), vec!["B-3"]),
            (json!({"stock": "12", "name": "bolt"}), vec![]),
            (json!({}), vec!["A-1", "B-2", "B-3"]),
        ] {
            let found = find(&source, wanted).await.unwrap();
            let rows = found["rows"].as_array().unwrap();
            let skus: Vec<_> = rows
                .iter()
                .map(|row| row["sku"].as_str().unwrap())
                .collect();
            assert_eq!(skus, expected);
            assert_eq!(found["matches"], expected.len());
        }
        let refused = find(&source, json!({"colour": "red"})).await.unwrap_err();
        assert!(refused.to_string().contains("`colour`"), "{refused}");
    }
}

#[tokio::test]
async fn of_many_rows_the_first_are_given_and_all_are_counted() {
    let rows: Vec<_> = (0..60).map(|number| json!({ "number": number })).collect();
    let source = open("rows.json", json!(rows).to_string()).unwrap();
    let found = find(&source, json!({})).await.unwrap();
    assert_eq!(found["matches"], 60);
    assert_eq!(found["rows"].as_array().unwrap().len(), 50);
}

#[test]
fn a_file_that_is_no_table_is_refused() {
    for (name, content) in [
        ("a.json", "{}"),
        ("a.json", "[1]"),
        ("a.json", "[{]"),
        ("a.json", ""),
        ("a.csv", "a,b\n1\n"),
    ] {
        let refused = open(name, content).unwrap_err();
        assert!(
            matches!(refused, FileSourceError::Malformed { .. }),
            "{refused:?}"
        );
    }
    let invalid = open("a.csv", b"a\n\xff\n").unwrap_err();
    assert!(
        matches!(invalid, FileSourceError::Malformed { .. }),
        "{invalid:?}"
    );
    let wide: Map<String, Value> = (0..65).map(|it| (format!("c{it}"), json!(1))).collect();
    let wide = open("a.json", json!([wide]).to_string()).unwrap_err();
    assert!(wide.to_string().contains("64 columns"), "{wide}");
    let missing = FileSource::open("x", "", "/no/such/file.csv").unwrap_err();
    assert!(matches!(missing, FileSourceError::Read(..)), "{missing:?}");
}
