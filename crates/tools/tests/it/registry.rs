//! What the registry lets in, and what a call through it guarantees.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{future::pending, sync::Arc, time::Duration};

use patter_tools::{
    RegistryError, Tool, ToolContext, ToolError, ToolErrorKind, ToolLimits, ToolRegistry, tool,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "read by the schema and the parser alone")]
struct Place {
    /// City name, in any language.
    city: String,
    /// Where exactly.
    point: Option<Point>,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "read by the schema and the parser alone")]
struct Point {
    latitude: f64,
    longitude: f64,
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

fn context() -> ToolContext {
    ToolContext::new(
        "session",
        "call",
        Instant::now() + Duration::from_secs(3600),
    )
}

fn answering(name: &str, answer: Value) -> impl Tool + 'static {
    tool(name, "Answers", move |_: Nothing, _| {
        let answer = answer.clone();
        async move { Ok(answer) }
    })
}

async fn answer_of(value: Value) -> Result<Value, ToolError> {
    let limits = ToolLimits {
        max_result_bytes: 1000,
        ..ToolLimits::default()
    };
    let tools = ToolRegistry::new()
        .with_limits(limits)
        .with(answering("t", value))
        .unwrap();
    tools.call("t", Map::new(), context()).await
}

#[tokio::test]
async fn a_result_that_nests_very_deep_is_refused_and_ends_nobody() {
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    // Dropped as it is, such a value overflows the stack.
    let tools = ToolRegistry::new()
        .with(tool("deep", "Nests", move |_: Nothing, _| async move {
            Ok(deep(100_000))
        }))
        .unwrap();
    let refused = tools.call("deep", Map::new(), context()).await.unwrap_err();
    assert_eq!(refused.kind(), ToolErrorKind::InvalidOutput);
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_how_they_end() {
    let tools = ToolRegistry::new()
        .with(answering("fine", json!(1)))
        .unwrap()
        .with(tool("slow", "Hangs", |_: Nothing, _| {
            pending::<Result<Value, ToolError>>()
        }))
        .unwrap();
    let clone = tools.clone();
    for _ in 0..3 {
        clone.call("fine", Map::new(), context()).await.unwrap();
    }
    let unknown = json!({"x": 1}).as_object().unwrap().clone();
    tools.call("fine", unknown, context()).await.unwrap_err();
    tools.call("slow", Map::new(), context()).await.unwrap_err();
    let dropped = tools.call("slow", Map::new(), context());
    let begun = tokio::time::timeout(Duration::from_secs(1), dropped).await;
    assert!(begun.is_err());
    tools
        .call("no such", Map::new(), context())
        .await
        .unwrap_err();

    let counts = tools.counts();
    let [(first, fine), (second, slow)] = counts.as_slice() else {
        panic!("{counts:?}")
    };
    assert_eq!([first, second], ["fine", "slow"]);
    assert_eq!(fine.calls, 4);
    assert_eq!(fine.failures, [(ToolErrorKind::InvalidArguments, 1)]);
    assert_eq!(slow.calls, 2);
    let expected = [(ToolErrorKind::Timeout, 1), (ToolErrorKind::Interrupted, 1)];
    assert_eq!(slow.failures, expected);
    assert_eq!(slow.time, Duration::from_secs(31));
}

#[test]
fn a_second_tool_of_the_same_name_is_refused() {
    let tools = ToolRegistry::new()
        .with(answering("echo", json!(1)))
        .unwrap();
    let refusal = tools.add(answering("echo", json!(2))).unwrap_err();
    assert_eq!(refusal, RegistryError::DuplicateName("echo".to_owned()));
    assert_eq!(tools.names(), ["echo"]);
}

#[test]
fn a_name_that_providers_do_not_accept_is_refused() {
    let long = "a".repeat(65);
    for name in ["", "1a", "-a", "a b", "ä", "a.b", &long] {
        let refusal = ToolRegistry::new()
            .with(answering(name, json!(1)))
            .unwrap_err();
        assert_eq!(refusal, RegistryError::InvalidName(name.to_owned()));
    }
    for name in ["a", "_", "A-1_b", &"a".repeat(64)] {
        assert!(
            ToolRegistry::new().with(answering(name, json!(1))).is_ok(),
            "{name}"
        );
    }
}

/// Input 96.
#[test]
fn arguments_that_are_not_an_object_are_refused() {
    let text = tool("text", "Takes a text", |_: String, _| async {
        Ok(json!(1))
    });
    let refusal = ToolRegistry::new().with(text).unwrap_err();
    assert_eq!(refusal, RegistryError::NotAnObject("text".to_owned()));
}

#[test]
fn tools_are_listed_by_name_and_come_and_go_for_all_clones() {
    let tools = ToolRegistry::new().with(answering("b", json!(1))).unwrap();
    let clone = tools.clone();
    let only_a = tools.only(&["a".to_owned()]);
    tools.add(answering("a", json!(1))).unwrap();
    assert_eq!(clone.names(), ["a", "b"]);
    assert_eq!(clone.specs()[0].name, "a");
    assert_eq!(only_a.names(), ["a"]);
    assert!(tools.get("c").is_none());
    assert!(clone.remove("a"));
    assert!(!clone.remove("a"));
    assert_eq!(tools.names(), ["b"]);
    assert!(only_a.is_empty());
}

#[test]
fn a_schema_has_descriptions_and_no_references() {
    let place = tool("place", "Looks a place up", |_: Place, _| async {
        Ok(json!(1))
    });
    insta::assert_json_snapshot!(place.spec().parameters);
}

/// Input 97.
#[tokio::test]
async fn an_unknown_tool_is_an_error() {
    let error = ToolRegistry::new()
        .call("nope\0", Map::new(), context())
        .await
        .unwrap_err();
    assert_eq!(error, ToolError::UnknownTool("nope\u{fffd}".to_owned()));
}

/// Input 96.
#[tokio::test]
async fn arguments_that_do_not_fit_are_named_by_path() {
    let place = tool("place", "", |_: Place, _| async { Ok(json!(1)) });
    let tools = ToolRegistry::new().with(place).unwrap();
    let table = [
        (json!({}), "`city`"),
        (json!({ "city": 5 }), "`city`"),
        (
            json!({ "city": "x", "point": { "latitude": "1", "longitude": 2 } }),
            "`point.latitude`",
        ),
        (json!({ "city": "x", "contry": 1 }), "`contry`"),
    ];
    for (arguments, path) in table {
        let arguments = arguments.as_object().unwrap().clone();
        let error = tools.call("place", arguments, context()).await.unwrap_err();
        assert_eq!(error.kind(), ToolErrorKind::InvalidArguments);
        assert!(error.to_string().contains(path), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_hangs_times_out_and_is_dropped() {
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let hang = tool("hang", "", move |_: Nothing, _| {
        let held = Arc::clone(&held);
        async move {
            let _held = held;
            pending().await
        }
    });
    let tools = ToolRegistry::new().with(hang).unwrap();
    let started = Instant::now();
    let error = tools.call("hang", Map::new(), context()).await.unwrap_err();
    assert_eq!(
        error,
        ToolError::Timeout {
            limit: Duration::from_secs(30)
        }
    );
    assert_eq!(started.elapsed().as_secs(), 30);
    // One is ours and one the tool's; the call's is gone.
    assert_eq!(Arc::strong_count(&alive), 2);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_context_counts_when_it_is_earlier() {
    let hang = tool("hang", "", |_: Nothing, _| pending());
    let tools = ToolRegistry::new().with(hang).unwrap();
    let context = ToolContext::new("s", "c", Instant::now() + Duration::from_secs(2));
    let error = tools.call("hang", Map::new(), context).await.unwrap_err();
    assert_eq!(
        error,
        ToolError::Timeout {
            limit: Duration::from_secs(2)
        }
    );
}

#[tokio::test]
async fn a_panic_is_the_failure_of_one_call() {
    let bomb = tool("bomb", "", |_: Nothing, context: ToolContext| async move {
        assert!(context.call_id.is_empty(), "boom");
        Ok(json!(1))
    });
    let tools = ToolRegistry::new().with(bomb).unwrap();
    let error = tools.call("bomb", Map::new(), context()).await.unwrap_err();
    assert_eq!(error, ToolError::Failed("the tool panicked".to_owned()));
}

#[tokio::test]
async fn a_result_of_the_largest_size_passes_and_one_byte_more_does_not() {
    assert!(answer_of(json!("x".repeat(998))).await.is_ok());
    let error = answer_of(json!("x".repeat(999))).await.unwrap_err();
    assert_eq!(
        error,
        ToolError::TooLarge {
            bytes: 1001,
            limit: 1000
        }
    );
}

#[tokio::test]
async fn nul_is_replaced_in_texts_and_keys_and_nothing_is_lost() {
    let answer = answer_of(json!({ "a\0": ["x\0y"], "a\u{fffd}": 2, "b": { "\0": "\0" } })).await;
    let expected = json!({
        "a\u{fffd}": 2, "a\u{fffd}\u{fffd}": ["x\u{fffd}y"], "b": { "\u{fffd}": "\u{fffd}" },
    });
    assert_eq!(answer, Ok(expected));
}

#[tokio::test]
async fn a_result_that_nests_too_deeply_is_refused() {
    let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    assert!(answer_of(nested(64)).await.is_ok());
    let error = answer_of(nested(65)).await.unwrap_err();
    assert_eq!(error.kind(), ToolErrorKind::InvalidOutput);
}

#[tokio::test]
async fn a_long_error_is_cut_between_characters() {
    let fail = tool("fail", "", |_: Nothing, _| async {
        Err(ToolError::Failed(["x", &"ü".repeat(5000), "\0"].concat()))
    });
    let tools = ToolRegistry::new().with(fail).unwrap();
    let error = tools.call("fail", Map::new(), context()).await.unwrap_err();
    assert_eq!(
        error,
        ToolError::Failed(["x", &"ü".repeat(2047), "…"].concat())
    );
}

fn named(name: &'static str) -> impl Tool {
    tool(name, "Does nothing.", |_: Nothing, _: ToolContext| async {
        Ok(json!("done"))
    })
}

#[tokio::test]
async fn a_tool_that_is_left_out_is_unknown() {
    let all = ToolRegistry::new()
        .with(named("a"))
        .unwrap()
        .with(named("b"))
        .unwrap();
    let some = all.only(&["b".to_owned(), "nosuch".to_owned()]);
    assert_eq!(some.names(), ["b"]);
    let error = some.call("a", Map::new(), context()).await.unwrap_err();
    assert_eq!(error.kind(), ToolErrorKind::UnknownTool);
    assert_eq!(all.names(), ["a", "b"]);
}
