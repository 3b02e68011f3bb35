//! How tools are called in an answer, and what becomes of their results.

use patter_llm::{FinishReason as ModelFinish, Message, ModelEvent, ToolCall};
use patter_protocol::{EventBody, FinishReason, LiveEvent, Part, ServerMessage, ToolErrorCode};
use patter_session::{After, SessionManager, SessionSettings};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, call, finish, text};
use patter_tools::{ToolContext, ToolPolicy, ToolRegistry, tool};
use serde::Deserialize;
use serde_json::json;

use crate::support::{self, Client, durable, manager, open, say};

#[derive(Deserialize, schemars::JsonSchema)]
struct Nothing {}

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

/// Input 105.
#[tokio::test(start_paused = true)]
async fn a_model_that_only_calls_tools_meets_the_step_limit() {
    let wait = || Reply::calls([call("x", "wait", json!({"millis": 1}))]);
    let model = ScriptedModel::new((0..9).map(|_| wait()));
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(answer.finish_reason, FinishReason::ToolLimit);
    assert_eq!(answer.parts.len(), 7);
    assert_eq!(model.requests().len(), 9);
    // What is left is a conversation that can go on.
    model.push(Reply::text(["Fine."]));
    say(&session, "m-2", "Go on").await;
    assert_eq!(client.until_answer().await.content, "Fine.");
}

#[tokio::test(start_paused = true)]
async fn a_model_that_meets_a_limit_is_told_which_and_has_the_last_word_without_tools() {
    let wait = |count| {
        let calls = (0..count).map(|_| call("x", "wait", json!({"millis": 1})));
        Reply::calls(calls)
    };
    let model = ScriptedModel::new([wait(4), wait(13), Reply::text(["As far as I know."])]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(answer.finish_reason, FinishReason::ToolLimit);
    assert_eq!(answer.content, "As far as I know.");
    // Of those that were too many, none was run.
    assert_eq!(client.count("tool_result"), 4);
    let last = model.requests().pop().unwrap();
    assert!(last.tools.is_empty());
    let Some(Message::ToolResults(results)) = last.messages.last() else {
        panic!()
    };
    assert_eq!(results.len(), 13);
    for result in results {
        let told = result.outcome.clone().unwrap_err();
        assert!(told.contains("16 calls"), "{told}");
    }
    // What the session remembers is what it would find in its log.
    model.push(Reply::text(["Fine."]));
    say(&session, "m-2", "Go on").await;
    assert_eq!(client.until_answer().await.content, "Fine.");
    let asked = model.requests().pop().unwrap().messages;
    assert_eq!(asked.len(), 5, "{asked:#?}");
}

#[tokio::test(start_paused = true)]
async fn of_a_long_result_the_log_has_all_and_the_model_the_beginning() {
    let model = ScriptedModel::new([
        Reply::calls([call("x", "long", json!({}))]),
        Reply::text(["Long."]),
        Reply::text(["Still long."]),
    ]);
    let long = tool("long", "Says a lot.", |_: Nothing, _| async {
        Ok(json!("x".repeat(100_000)))
    });
    let sessions = SessionManager::builder(MemoryStore::default(), model.clone())
        .tools(ToolRegistry::new().with(long).unwrap())
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for id in ["m-1", "m-2"] {
        say(&session, id, "Hi").await;
        client.until_answer().await;
    }
    let stored = client
        .durable()
        .into_iter()
        .find_map(|event| match event.body {
            EventBody::ToolResult(result) => result.content,
            _ => None,
        });
    assert_eq!(stored.unwrap().as_str().unwrap().len(), 100_000);
    for request in &model.requests()[1..] {
        let shown = request.messages.iter().find_map(|message| match message {
            Message::ToolResults(results) => results[0].outcome.clone().ok(),
            _ => None,
        });
        let shown = shown.unwrap();
        let shown = shown.as_str().unwrap();
        assert!(shown.len() < 66_000 && shown.ends_with("of 100002 bytes]"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_of_six_steps_with_two_branches_and_a_failure_is_brought_to_its_end() {
    let wait = |millis: u64| call("x", "wait", json!({ "millis": millis }));
    let plan = |say: &str, calls: &[ToolCall]| {
        let calls = calls
            .iter()
            .cloned()
            .map(|call| Step::Say(ModelEvent::ToolCall(call)));
        let steps = [text(say)].into_iter().chain(calls);
        Reply::of(steps.chain([finish(ModelFinish::ToolCalls)]))
    };
    let model = ScriptedModel::new([
        plan("First I look. ", &[wait(1)]),
        plan("Two branches. ", &[wait(20), wait(10)]),
        plan("Now the order. ", &[call("x", "fail", json!({}))]),
        plan("That failed, so another way. ", &[wait(2)]),
        plan(
            "And a check. ",
            &[wait(3), call("x", "wait", json!({"millis": "many"}))],
        ),
        Reply::text(["Done."]),
    ]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(answer.finish_reason, FinishReason::Stop);
    assert!(answer.content.starts_with("First I look. Two branches. "));
    assert!(answer.content.ends_with("Done."));
    // Each step is to be seen as it happens.
    let (calls, results) = (client.count("tool_call"), client.count("tool_result"));
    assert_eq!((calls, results), (7, 7));
    let failed = client
        .durable()
        .into_iter()
        .filter(|event| match &event.body {
            EventBody::ToolResult(result) => !result.ok,
            _ => false,
        });
    assert_eq!(failed.count(), 2);
    // And the model has seen what came of each step before it took the next one.
    let requests = model.requests();
    assert_eq!(requests.len(), 6);
    for (step, request) in requests.iter().enumerate() {
        assert_eq!(request.messages.len(), 1 + 2 * step);
    }
    let text = format!("{:?}", requests[3].messages.last());
    assert!(text.contains("out of order"), "{text}");
    assert_eq!(answer.parts.len(), 7 + 6);
}

/// Input 96.
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

#[tokio::test(start_paused = true)]
async fn a_tool_is_called_only_as_often_as_its_policy_says() {
    let calls = ["x", "y", "z"].map(|id| call(id, "wait", json!({ "millis": 10 })));
    let model = ScriptedModel::new([Reply::calls(calls), Reply::text(["I see."])]);
    let tools = support::tools();
    let policy = ToolPolicy {
        max_calls: Some(2),
        ..ToolPolicy::default()
    };
    tools.add_policy("wait", policy);
    let sessions = SessionManager::builder(MemoryStore::default(), model.clone())
        .tools(tools)
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(answer.content, "I see.");
    let refused: Vec<_> = client
        .seen
        .iter()
        .filter_map(|message| match durable(message) {
            Some(EventBody::ToolResult(result)) => result.error.clone(),
            _ => None,
        })
        .collect();
    let [refused] = refused.as_slice() else {
        panic!("{refused:?}")
    };
    assert_eq!(
        refused.message,
        "not run: `wait` may be called 2 times in one answer"
    );
}

#[tokio::test(start_paused = true)]
async fn readers_are_told_how_far_a_tool_is_and_not_too_often() {
    let copy = tool(
        "copy",
        "Copies.",
        |_: Nothing, context: ToolContext| async move {
            for done in 0..40 {
                context.progress.tell(f64::from(done), Some(40.0), None);
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            Ok(json!("copied"))
        },
    );
    let model = ScriptedModel::new([
        Reply::calls([call("x", "copy", json!({}))]),
        Reply::text(["Done."]),
    ]);
    let sessions = SessionManager::builder(MemoryStore::default(), model.clone())
        .tools(ToolRegistry::new().with(copy).unwrap())
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;
    let told: Vec<_> = client
        .seen
        .iter()
        .filter_map(|message| match message {
            ServerMessage::Live(LiveEvent::ToolProgress(told)) => Some((told.done, told.total)),
            _ => None,
        })
        .collect();
    let expected = [0.0, 10.0, 20.0, 30.0].map(|done| (done, Some(40.0)));
    assert_eq!(told, expected);
}
