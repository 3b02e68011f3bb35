//! The simulated data: the same for ever, marked as simulated, and refused for bad queries.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use patter_tools::{DataFetcher, Tool as _, ToolContext, ToolError, ToolErrorKind};
use serde_json::{Value, json};
use tokio::time::Instant;

async fn fetch(data_type: &str, query: &str) -> Result<Value, ToolError> {
    let arguments = json!({ "data_type": data_type, "query": query })
        .as_object()
        .unwrap()
        .clone();
    let context = ToolContext::new("session", "call", Instant::now() + Duration::from_secs(5));
    DataFetcher::default().call(arguments, context).await
}

/// These values are promised: a change of this snapshot is a change for users.
#[tokio::test]
async fn the_same_query_has_the_same_data_for_ever() {
    let mut results = Vec::new();
    for (data_type, query) in [
        ("weather", "Berlin"),
        ("weather", "Łódź"),
        ("stock", "Apple"),
        ("user", "42"),
        ("order", "ORD-1001"),
        ("inventory", "keyboard"),
        ("sales", "Europe"),
        ("system_metrics", "web-1"),
    ] {
        results.push(fetch(data_type, query).await.unwrap());
    }
    insta::assert_json_snapshot!(results);
}

#[tokio::test]
async fn case_and_white_space_make_no_difference() {
    let one = fetch("weather", "New York").await.unwrap();
    let other = fetch("weather", "  new   YORK ").await.unwrap();
    assert_eq!(one["temperature_c"], other["temperature_c"]);
    let name = fetch("stock", "apple").await.unwrap();
    assert_eq!(
        name["price_usd"],
        fetch("stock", "AAPL").await.unwrap()["price_usd"]
    );
    assert_eq!(fetch("stock", "Netflix").await.unwrap()["symbol"], "NFLX");
}

#[tokio::test]
async fn every_result_says_that_it_is_simulated() {
    for data_type in [
        "weather",
        "stock",
        "user",
        "order",
        "inventory",
        "sales",
        "system_metrics",
        "time",
    ] {
        let result = fetch(data_type, "Tokyo").await.unwrap();
        assert_eq!(result["simulated"], true);
        assert_eq!(result["source"], "simulated");
        assert_eq!(result["data_type"], data_type);
        assert_eq!(result["query"], "Tokyo");
    }
}

#[tokio::test]
async fn the_time_has_the_offset_of_the_city_that_is_named() {
    let tokyo = fetch("time", "time in Tokyo").await.unwrap();
    assert_eq!(tokyo["utc_offset"], "+09:00");
    assert!(tokyo["local"].as_str().unwrap().ends_with("+09:00"));
    assert_eq!(fetch("time", "now").await.unwrap()["zone"], "UTC");
    assert_eq!(
        fetch("time", "São Paulo, Brazil").await.unwrap()["utc_offset"],
        "-03:00"
    );
    assert_eq!(fetch("time", "Jerome").await.unwrap()["zone"], "UTC");
}

#[tokio::test]
async fn bad_queries_are_refused_by_name() {
    for (data_type, query, field) in [
        ("weather", "", "`query`"),
        ("weather", " \t", "`query`"),
        ("weather", &"x".repeat(201) as &str, "`query`"),
        ("horoscope", "x", "`data_type`"),
    ] {
        let error = fetch(data_type, query).await.unwrap_err();
        assert_eq!(error.kind(), ToolErrorKind::InvalidArguments);
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn the_schema_stays_the_same() {
    insta::assert_json_snapshot!(DataFetcher::default().spec().parameters);
}
