//! How tools are called in an answer, and what becomes of their results.

mod common;

use common::{Client, durable, manager, open, say};
use patter_llm::{FinishReason as ModelFinish, Message, ModelEvent};
use patter_protocol::{EventBody, FinishReason, Part, ToolErrorCode};
use patter_session::{After, SessionSettings};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, call, finish, text};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn parallel_tool_calls_run_at_the_same_time_and_the_model_gets_their_results_in_order() {
    let calls = [
        call("x", "wait", json!({"millis": 300})),
        call("y", "wait", json!({"millis": 100})),
    ];
    let model = ScriptedModel::new([
        Reply::of([text("Let me see. ")])
            .then(Step::Say(ModelEvent::ToolCall(calls[0].clone())))
            .then(Step::Say(ModelEvent::ToolCall(calls[1].clone())))
            .then(finish(ModelFinish::Stop)),
        Reply::text(["Done."]),
    ]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let begun = tokio::time::Instant::now();
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;

    assert_eq!(begun.elapsed().as_millis(), 300);
    assert_eq!(answer.content, "Let me see. Done.");
    assert_eq!(answer.usage.output_tokens, Some(10));
    let ended: Vec<_> = client
        .seen
        .iter()
        .filter_map(|message| match durable(message) {
            Some(EventBody::ToolResult(result)) => Some((result.call_id, result.content.clone())),
            _ => None,
        })
        .collect();
    // The events tell the order in which the tools ended, the model gets that of its calls.
    assert_eq!(ended[0].1, Some(json!({"waited": 100})));
    assert_eq!(
        answer.parts,
        [
            Part::Text {
                text: "Let me see. ".to_owned()
            },
            Part::Call {
                call_id: ended[1].0
            },
            Part::Call {
                call_id: ended[0].0
            },
            Part::Text {
                text: "Done.".to_owned()
            },
        ]
    );
    let requests = model.requests();
    let Some(Message::ToolResults(results)) = requests[1].messages.last() else {
        panic!()
    };
    let outcomes: Vec<_> = results
        .iter()
        .map(|it| it.outcome.clone().unwrap())
        .collect();
    assert_eq!(outcomes, [json!({"waited": 300}), json!({"waited": 100})]);
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_fails_hangs_panics_or_is_unknown_gives_an_error_and_the_answer_goes_on() {
    let model = ScriptedModel::new([
        Reply::calls([
            call("a", "fail", json!({})),
            call("b", "panic", json!({})),
            call("c", "nosuch", json!({})),
            call("d", "wait", json!({"millis": 86_400_000})),
            call("e", "wait", json!({"millis": "x"})),
        ]),
        Reply::text(["Sorry."]),
    ]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    assert_eq!(client.until_answer().await.content, "Sorry.");

    let mut codes = Vec::new();
    for event in client.durable() {
        if let EventBody::ToolResult(result) = event.body {
            assert!(!result.ok && result.content.is_none());
            let error = result.error.unwrap();
            assert!(!error.message.contains('\0'), "{error:?}");
            codes.push(error.code);
        }
    }
    codes.sort_by_key(|code| format!("{code:?}"));
    assert_eq!(
        codes,
        [
            ToolErrorCode::Failed,
            ToolErrorCode::Failed,
            ToolErrorCode::InvalidArguments,
            ToolErrorCode::Timeout,
            ToolErrorCode::UnknownTool,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_model_that_only_calls_tools_meets_the_step_limit() {
    let wait = || Reply::calls([call("x", "wait", json!({"millis": 1}))]);
    let model = ScriptedModel::new((0..8).map(|_| wait()));
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(answer.finish_reason, FinishReason::ToolLimit);
    assert_eq!(answer.parts.len(), 7);
    assert_eq!(model.requests().len(), 8);
    // What is left is a conversation that can go on.
    model.push(Reply::text(["Fine."]));
    say(&session, "m-2", "Go on").await;
    assert_eq!(client.until_answer().await.content, "Fine.");
}

#[tokio::test(start_paused = true)]
async fn a_call_too_deep_to_be_stored_fails_its_answer_and_not_the_session() {
    let nested = |levels: usize| {
        let inner = (1..levels).fold(json!(1), |inner, _| json!([inner]));
        Reply::calls([call("c", "wait", json!({ "millis": inner }))])
    };
    let model = ScriptedModel::new([
        nested(64),
        Reply::text(["Fine."]),
        nested(65),
        nested(127),
        Reply::text(["Fine."]),
    ]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for (id, finish_reason) in [
        ("at the limit", FinishReason::Stop),
        ("above it", FinishReason::Error),
        ("what no store reads back", FinishReason::Error),
        ("afterwards", FinishReason::Stop),
    ] {
        say(&session, id, "Hi").await;
        assert_eq!(client.until_answer().await.finish_reason, finish_reason);
    }
}
