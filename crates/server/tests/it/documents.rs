//! The documents that the server has of itself, and the page that shows them.

use reqwest::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use reqwest::{Client, StatusCode, redirect};
use serde_json::Value;

use crate::support::TestServer;

#[tokio::test]
async fn the_document_of_the_websocket_is_the_committed_one() {
    let server = TestServer::demo().await;
    let client = Client::new();
    let answer = client.get(server.url("/asyncapi.json")).send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
    let etag = answer.headers()[ETAG].clone();
    let served: Value = answer.json().await.unwrap();
    let committed = include_str!("../../../../docs/asyncapi.json");
    assert_eq!(served, serde_json::from_str::<Value>(committed).unwrap());

    let again = client.get(server.url("/asyncapi.json"));
    let again = again.header(IF_NONE_MATCH, etag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn the_page_of_the_documents_is_complete_and_may_do_no_more_than_it_must() {
    let server = TestServer::demo().await;
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap();
    let get = async |path: &str| client.get(server.url(path)).send().await.unwrap();
    let redirect = get("/docs").await;
    assert_eq!(redirect.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(redirect.headers()["location"], "/docs/");

    let page = get("/docs/").await;
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = page.text().await.unwrap();
    let files: Vec<_> = html
        .split('"')
        .filter(|value| value.ends_with(".js") || value.ends_with(".css"))
        .collect();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let answer = get(&format!("/docs/{file}")).await;
        assert_eq!(answer.status(), StatusCode::OK, "{file}");
        let content_type = answer.headers()[CONTENT_TYPE].to_str().unwrap();
        let expected = if file.ends_with(".js") {
            "text/javascript"
        } else {
            "text/css"
        };
        assert!(content_type.starts_with(expected), "{file}: {content_type}");
    }
    let missing = get("/docs/index.html").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}
