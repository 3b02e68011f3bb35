//! What readers and the log are told when another model takes over in the middle of an answer.

use std::time::Duration;

use patter_llm::{AssistantPart, FinishReason as ModelFinish, Message, ModelEvent, ProviderData};
use patter_protocol::{
    ClientMessage, EventBody, FinishReason, LiveEvent, NoticeCode, Part, ResponseSnapshot,
    ServerMessage,
};
use patter_session::{After, SessionSettings};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{
    Gate, Reply, ScriptedModel, Step, call, finish, overloaded, text,
};
use serde_json::json;

use crate::support::{Client, durable, log_of, manager, open, say};

/// The second provider takes over.
fn restarted() -> Step {
    Step::Say(ModelEvent::Restarted {
        provider: "second".to_owned(),
        model: "second-1".to_owned(),
        error: overloaded(),
    })
}

fn pause(seconds: u64) -> Step {
    Step::Pause(Duration::from_secs(seconds))
}

/// What was told live: tokens as they are, the rest by its name.
fn told(client: &Client) -> Vec<String> {
    client
        .seen
        .iter()
        .filter_map(|message| match message {
            ServerMessage::Live(LiveEvent::ResponseStarted(started)) => {
                Some(format!("started {}/{}", started.provider, started.model))
            }
            ServerMessage::Live(LiveEvent::Token(token)) => {
                Some(format!("{} {}", token.index, token.content))
            }
            ServerMessage::Live(LiveEvent::Reasoning(thought)) => {
                Some(format!("thought {}", thought.content))
            }
            ServerMessage::Live(LiveEvent::ResponseSnapshot(snapshot)) => Some(format!(
                "snapshot {} {:?}",
                snapshot.index, snapshot.content
            )),
            ServerMessage::Live(LiveEvent::Notice(notice)) => {
                assert_eq!(notice.code, NoticeCode::ProviderFailover);
                Some("notice".to_owned())
            }
            ServerMessage::Live(LiveEvent::Error(error)) => Some(format!("{:?}", error.code)),
            ServerMessage::Live(LiveEvent::ResponseFinished(_)) => Some("finished".to_owned()),
            _ => None,
        })
        .collect()
}

async fn conversation(
    model: &ScriptedModel,
) -> (MemoryStore, Client, patter_session::SessionHandle) {
    let store = MemoryStore::default();
    let sessions = manager(store.clone(), model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let client = Client::attach(&session, After::Start).await;
    (store, client, session)
}

#[tokio::test(start_paused = true)]
async fn in_mid_answer_the_text_is_replaced_and_the_log_keeps_one_answer() {
    let model = ScriptedModel::new([Reply::of([
        pause(1),
        text("Half an"),
        text(" answer"),
        pause(2),
        restarted(),
        text("A whole"),
        text(" one."),
        finish(ModelFinish::Stop),
    ])]);
    let (store, mut client, session) = conversation(&model).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;

    assert_eq!(
        told(&client),
        [
            "started scripted/script-1",
            "0 Half an",
            "1  answer",
            "notice",
            "snapshot -1 \"\"",
            "0 A whole",
            "1  one.",
            "finished",
        ]
    );
    assert_eq!(client.tokens(), "A whole one.");
    assert_eq!(answer.content, "A whole one.");
    assert_eq!(answer.finish_reason, FinishReason::Stop);
    assert_eq!(
        (answer.provider.as_str(), answer.model.as_str()),
        ("second", "second-1")
    );
    // To the first piece of the text that counts.
    assert_eq!(answer.timing.first_token_ms, Some(3_000));
    let answers = log_of(&store)
        .await
        .into_iter()
        .filter(|body| matches!(body, EventBody::AiResponse(_)));
    assert_eq!(answers.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn before_the_first_token_there_is_a_notice_and_nothing_else() {
    let model = ScriptedModel::new([Reply::of([
        restarted(),
        text("Hello."),
        finish(ModelFinish::Stop),
    ])]);
    let (_, mut client, session) = conversation(&model).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(
        told(&client),
        ["notice", "started second/second-1", "0 Hello.", "finished"]
    );
    assert_eq!(answer.provider, "second");
}

#[tokio::test(start_paused = true)]
async fn a_notice_says_who_answers_and_not_what_the_provider_said() {
    let model = ScriptedModel::new([Reply::of([
        restarted(),
        text("Hello."),
        finish(ModelFinish::Stop),
    ])]);
    let (_, mut client, session) = conversation(&model).await;
    say(&session, "m-1", "Hi").await;
    let notice = client
        .until(|message| match message {
            ServerMessage::Live(LiveEvent::Notice(notice)) => Some(notice.message.clone()),
            _ => None,
        })
        .await;
    assert_eq!(
        notice,
        "script-1 of scripted failed. second-1 of second answers instead."
    );
}

#[tokio::test(start_paused = true)]
async fn thoughts_and_calls_of_a_void_step_are_void_too() {
    let private = |reason| {
        Step::Say(ModelEvent::Finish {
            reason,
            usage: patter_llm::Usage::default(),
            provider_data: Some(ProviderData {
                kind: "second".to_owned(),
                data: json!("kept"),
            }),
        })
    };
    let model = ScriptedModel::new([
        Reply::of([
            Step::Say(ModelEvent::Reasoning("Hm.".to_owned())),
            Step::Say(ModelEvent::ToolCall(call("x", "fail", json!({})))),
            restarted(),
            text("Hello."),
            private(ModelFinish::Stop),
        ]),
        Reply::text(["Bye."]),
    ]);
    let (store, mut client, session) = conversation(&model).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;
    assert_eq!(
        told(&client),
        [
            "started scripted/script-1",
            "thought Hm.",
            "notice",
            "snapshot -1 \"\"",
            "0 Hello.",
            "finished"
        ]
    );
    let calls = log_of(&store)
        .await
        .into_iter()
        .filter(|body| matches!(body, EventBody::ToolCall(_)));
    assert_eq!(calls.count(), 0);
    // What the next request shows of it is what counts, with what its provider wants back.
    say(&session, "m-2", "Bye").await;
    client.until_answer().await;
    let requests = model.requests();
    let Some(Message::Assistant(step)) = requests[1].messages.get(1) else {
        panic!("{requests:#?}")
    };
    assert_eq!(step.parts, [AssistantPart::Text("Hello.".to_owned())]);
    assert_eq!(step.provider_data.as_ref().unwrap().data, json!("kept"));
}

#[tokio::test(start_paused = true)]
async fn after_tools_only_the_step_is_said_afresh_and_no_tool_runs_again() {
    let model = ScriptedModel::new([
        Reply::of([
            text("Let me "),
            text("see. "),
            Step::Say(ModelEvent::ToolCall(call(
                "x",
                "wait",
                json!({"millis": 5}),
            ))),
            finish(ModelFinish::ToolCalls),
        ]),
        Reply::of([
            text("It is"),
            restarted(),
            text("It took "),
            text("5 ms."),
            finish(ModelFinish::Stop),
        ]),
    ]);
    let (store, mut client, session) = conversation(&model).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(
        told(&client),
        [
            "started scripted/script-1",
            "0 Let me ",
            "1 see. ",
            "2 It is",
            "notice",
            "snapshot 1 \"Let me see. \"",
            "2 It took ",
            "3 5 ms.",
            "finished",
        ]
    );
    assert_eq!(answer.content, "Let me see. It took 5 ms.");
    assert_eq!(answer.provider, "second");
    let [
        Part::Text { text: before },
        Part::Call { call_id },
        Part::Text { text: after },
    ] = answer.parts.as_slice()
    else {
        panic!("{:?}", answer.parts)
    };
    assert_eq!(
        (before.as_str(), after.as_str()),
        ("Let me see. ", "It took 5 ms.")
    );
    let snapshot: ResponseSnapshot = client
        .seen
        .iter()
        .find_map(|message| match message {
            ServerMessage::Live(LiveEvent::ResponseSnapshot(snapshot)) => Some(snapshot.clone()),
            _ => None,
        })
        .unwrap();
    assert_eq!(snapshot.parts.len(), 2);
    assert_eq!(snapshot.parts[1], Part::Call { call_id: *call_id });
    let results = log_of(&store)
        .await
        .into_iter()
        .filter(|body| matches!(body, EventBody::ToolResult(_)));
    assert_eq!(results.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_left_the_text_of_the_last_one_is_kept() {
    let model = ScriptedModel::new([Reply::of([
        text("One"),
        restarted(),
        text("Two"),
        Step::Fail(overloaded()),
    ])]);
    let (_, mut client, session) = conversation(&model).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(answer.content, "Two");
    assert_eq!(answer.finish_reason, FinishReason::Error);
    assert_eq!(answer.provider, "second");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_nothing_is_announced_only_if_it_was_finished() {
    let model = ScriptedModel::new([
        Reply::refused(overloaded()),
        Reply::of([Step::Hang]),
        Reply::of([finish(ModelFinish::Stop)]),
    ]);
    let (_, mut client, session) = conversation(&model).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;
    assert_eq!(told(&client), ["ProviderError", "finished"]);

    client.seen.clear();
    say(&session, "m-2", "Hi").await;
    client
        .until(|it| matches!(durable(it), Some(EventBody::UserMessage(_))).then_some(()))
        .await;
    session
        .submit(ClientMessage::Cancel { response_id: None })
        .await
        .unwrap();
    client.until_answer().await;
    assert_eq!(told(&client), ["finished"]);

    client.seen.clear();
    say(&session, "m-3", "Hi").await;
    client.until_answer().await;
    assert_eq!(told(&client), ["started scripted/script-1", "finished"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_in_between_gets_the_text_that_counts() {
    let [before, after] = [Gate::default(), Gate::default()];
    let model = ScriptedModel::new([Reply::of([
        text("Half"),
        Step::Wait(before.clone()),
        restarted(),
        Step::Wait(after.clone()),
        text("Whole"),
        finish(ModelFinish::Stop),
    ])]);
    let (_, mut first, session) = conversation(&model).await;
    say(&session, "m-1", "Hi").await;
    first.until_token("Half").await;
    let mut second = Client::attach(&session, After::Start).await;
    before.open();
    first
        .until(|it| matches!(it, ServerMessage::Live(LiveEvent::ResponseSnapshot(_))).then_some(()))
        .await;
    let mut third = Client::attach(&session, After::Start).await;
    after.open();
    for client in [&mut first, &mut second, &mut third] {
        client.until_answer().await;
        assert_eq!(client.tokens(), "Whole");
    }
    assert_eq!(
        told(&second),
        [
            "snapshot 0 \"Half\"",
            "notice",
            "snapshot -1 \"\"",
            "0 Whole",
            "finished"
        ]
    );
    assert_eq!(told(&third), ["snapshot -1 \"\"", "0 Whole", "finished"]);
}
