//! The document of the HTTP API: what the server says of itself is what stands in the repository, and it
//! holds together.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

use crate::support::TestServer;

/// Where the document stands for those who do not run a server.
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
/// Set to `1` to write it anew.
const UPDATE_VARIABLE: &str = "UPDATE_GENERATED";

async fn document() -> Value {
    let server = TestServer::demo().await;
    let answer = reqwest::get(server.url("/openapi.json")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let document = answer.json().await.unwrap();
    server.stop().await;
    document
}

/// Every value that stands under this key, however deep.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|inner| all(inner, key, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| all(inner, key, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_committed_document_is_what_the_server_says() {
    let text = serde_json::to_string_pretty(&document().await).unwrap() + "\n";
    let path = Path::new(COMMITTED);
    if env::var(UPDATE_VARIABLE).is_ok_and(|value| value == "1") {
        fs::write(path, &text).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap();
    assert!(
        committed == text,
        "docs/openapi.json is not what the server says; write it anew with \
         `{UPDATE_VARIABLE}=1 cargo test -p patter-server --test it openapi`"
    );
}

#[tokio::test]
async fn every_reference_leads_to_a_schema_and_every_operation_has_a_name_of_its_own() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut names = Vec::new();
    all(&document["paths"], "operationId", &mut names);
    let mut names: Vec<_> = names.iter().map(|name| name.as_str().unwrap()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[tokio::test]
async fn every_operation_says_what_it_is_for_and_how_it_refuses() {
    let document = document().await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(!summary.is_empty(), "{method} {path}");
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert_eq!(
                problem["schema"]["$ref"], "#/components/schemas/Problem",
                "{method} {path}"
            );
        }
    }
}
