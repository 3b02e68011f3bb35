//! How the route of a message decides who answers it.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests share; one that cannot go on fails"
)]

use std::sync::Arc;

use patter_llm::{
    AssistantPart, Classifier, ClassifierSettings, Conditions, FinishReason as ModelFinish,
    Message, ModelEvent, ProviderData, Route, Router, Usage,
};
use patter_protocol::{
    AiResponse, ClientMessage, EventBody, FinishReason, LiveEvent, ServerMessage, UserInput,
};
use patter_session::{
    After, OpenOptions, Plan, SessionManager, SessionManagerBuilder, SessionSettings,
};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, call, text};
use serde_json::{Value, json};

use crate::support::{self, Client, durable, log_of, message, open, say};

fn route(name: &str, when: Conditions, then: Plan) -> Route<Plan> {
    Route {
        name: name.to_owned(),
        when,
        then,
    }
}

fn router(routes: impl IntoIterator<Item = Route<Plan>>) -> Router<Plan> {
    Router::new(routes.into_iter().collect(), None).unwrap()
}

fn words(word: &str) -> Conditions {
    Conditions {
        words: vec![word.to_owned()],
        ..Conditions::default()
    }
}

fn to(model: &ScriptedModel) -> Plan {
    Plan {
        model: Some(Arc::new(model.clone())),
        ..Plan::default()
    }
}

fn builder(store: &MemoryStore, model: &ScriptedModel) -> SessionManagerBuilder {
    SessionManager::builder(store.clone(), model.clone())
        .tools(support::tools())
        .system_prompt("You are a test.")
}

/// Which route the last answer was announced to come by.
fn route_told(client: &Client) -> Option<String> {
    let told = client.seen.iter().rev().find_map(|message| match message {
        ServerMessage::Live(LiveEvent::ResponseStarted(started)) => Some(started.route.clone()),
        _ => None,
    });
    told.unwrap()
}

async fn ask(
    session: &patter_session::SessionHandle,
    client: &mut Client,
    id: &str,
    content: &str,
) -> AiResponse {
    say(session, id, content).await;
    client.until_answer().await
}

#[tokio::test(start_paused = true)]
async fn a_route_sets_what_it_names_and_leaves_the_rest() {
    let usual = ScriptedModel::new([Reply::text(["Usual."])]);
    let coder = ScriptedModel::new([Reply::text(["Code."])]).named("coders", "coder-1");
    let routes = router([
        route(
            "code",
            words("rust"),
            Plan {
                system_prompt: Some("You write code.".to_owned()),
                tools: Some(vec!["wait".to_owned(), "nosuch".to_owned()]),
                temperature: Some(0.5),
                max_output_tokens: Some(7),
                ..to(&coder)
            },
        ),
        route(
            "brief",
            words("briefly"),
            Plan {
                max_output_tokens: Some(9),
                ..Plan::default()
            },
        ),
    ]);
    let mut settings = SessionSettings::default();
    settings.max_output_tokens = Some(100);
    let sessions = builder(&MemoryStore::default(), &usual)
        .settings(settings)
        .routes(routes)
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;

    let answer = ask(&session, &mut client, "m-1", "Some Rust, please").await;
    assert_eq!(
        (answer.provider.as_str(), answer.model.as_str()),
        ("coders", "coder-1")
    );
    assert_eq!(route_told(&client).as_deref(), Some("code"));
    assert_eq!(answer.route.as_deref(), Some("code"));
    let request = coder.requests().pop().unwrap();
    assert_eq!(request.system.as_deref(), Some("You write code."));
    assert_eq!(request.tools.len(), 1);
    assert_eq!(request.temperature, Some(0.5));
    assert_eq!(request.max_output_tokens, Some(7));

    let answer = ask(&session, &mut client, "m-2", "Hello").await;
    assert_eq!(answer.provider, "scripted");
    assert_eq!((route_told(&client), answer.route), (None, None));
    let request = usual.requests().pop().unwrap();
    assert_eq!(request.system.as_deref(), Some("You are a test."));
    assert_eq!(request.tools.len(), 3);
    assert_eq!(request.temperature, None);
    assert_eq!(request.max_output_tokens, Some(100));

    usual.push(Reply::text(["Brief."]));
    let answer = ask(&session, &mut client, "m-3", "Briefly!").await;
    assert_eq!(answer.provider, "scripted");
    assert_eq!(route_told(&client).as_deref(), Some("brief"));
    let request = usual.requests().pop().unwrap();
    assert_eq!(request.system.as_deref(), Some("You are a test."));
    assert_eq!(request.max_output_tokens, Some(9));
}

#[tokio::test(start_paused = true)]
async fn conditions_see_the_metadata_and_how_far_the_conversation_is() {
    let usual = ScriptedModel::default();
    let when = |key: &str, value: Value| Conditions {
        metadata: [(key.to_owned(), value)].into_iter().collect(),
        ..Conditions::default()
    };
    let routes = router([
        route("urgent", when("urgent", json!(true)), Plan::default()),
        route(
            "later",
            Conditions {
                min_turns: Some(2),
                ..when("plan", json!("gold"))
            },
            Plan::default(),
        ),
    ]);
    let store = MemoryStore::default();
    let sessions = builder(&store, &usual).routes(routes).start();
    let options = OpenOptions {
        user_id: None,
        metadata: [("plan".to_owned(), json!("gold"))].into_iter().collect(),
        ..OpenOptions::default()
    };
    let session = sessions.open("s".parse().unwrap(), options).await.unwrap();
    let mut client = Client::attach(&session, After::Start).await;
    let mut taken = Vec::new();
    for (n, urgent) in [false, true, false, false].into_iter().enumerate() {
        usual.push(Reply::text(["Yes."]));
        let mut input = message(&format!("m-{n}"), "Hi");
        input.metadata.insert("urgent".to_owned(), json!(urgent));
        session
            .submit(ClientMessage::UserMessage(input))
            .await
            .unwrap();
        client.until_answer().await;
        taken.push(route_told(&client));
    }
    // An edit takes the place of the message before it, which counts no more.
    usual.push(Reply::text(["Yes."]));
    let edit = UserInput {
        replaces: Some(support::message_id("m-3")),
        ..message("edit", "Hi")
    };
    session
        .submit(ClientMessage::UserMessage(edit))
        .await
        .unwrap();
    client.until_answer().await;
    taken.push(route_told(&client));
    let taken: Vec<_> = taken.iter().map(Option::as_deref).collect();
    assert_eq!(
        taken,
        [
            None,
            Some("urgent"),
            Some("later"),
            Some("later"),
            Some("later")
        ]
    );
}

/// Messages that the classifier calls `hard` go to `hard`.
fn classified(classifier: &ScriptedModel, hard: &ScriptedModel) -> Router<Plan> {
    let settings = ClassifierSettings {
        labels: [("hard", "needs thought"), ("easy", "does not")]
            .map(|(label, meaning)| (label.to_owned(), meaning.to_owned()))
            .into_iter()
            .collect(),
        timeout_ms: 2_000,
        ..ClassifierSettings::default()
    };
    let when = Conditions {
        class: vec!["hard".to_owned()],
        ..Conditions::default()
    };
    let routes = vec![route("hard", when, to(hard))];
    Router::new(routes, Some(Classifier::new(classifier.clone(), settings))).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_answer_given_again_is_routed_again() {
    let classifier = ScriptedModel::new([Reply::text(["easy"]), Reply::text(["hard"])]);
    let usual = ScriptedModel::new([Reply::text(["Easy."])]);
    let hard = ScriptedModel::new([Reply::text(["Hard."])]).named("second", "second-1");
    let sessions = builder(&MemoryStore::default(), &usual)
        .routes(classified(&classifier, &hard))
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let first = ask(&session, &mut client, "m-1", "Why?").await;
    session.submit(ClientMessage::Regenerate).await.unwrap();
    let second = client.until_answer().await;
    assert_eq!(first.provider, "scripted");
    assert_eq!(second.provider, "second");
    assert_eq!(second.supersedes, Some(first.response_id));
}

#[tokio::test(start_paused = true)]
async fn a_classifier_that_hangs_blocks_nobody_and_is_waited_for_no_longer_than_it_may() {
    let classifier = ScriptedModel::new([Reply::of([Step::Hang]), Reply::of([Step::Hang])]);
    let usual = ScriptedModel::new([Reply::text(["Well."])]);
    let sessions = builder(&MemoryStore::default(), &usual)
        .routes(classified(&classifier, &usual))
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;

    say(&session, "m-1", "Why?").await;
    client
        .until(|it| matches!(durable(it), Some(EventBody::UserMessage(_))).then_some(()))
        .await;
    let mut other = Client::attach(&session, After::Start).await;
    other.next().await.unwrap();
    session
        .submit(ClientMessage::Cancel { response_id: None })
        .await
        .unwrap();
    let answer = client.until_answer().await;
    assert_eq!(answer.finish_reason, FinishReason::Cancelled);
    assert_eq!(answer.timing.total_ms, 0);
    assert_eq!(classifier.broken_off(), 1);
    assert!(usual.requests().is_empty());

    let answer = ask(&session, &mut client, "m-2", "Why?").await;
    assert_eq!(answer.content, "Well.");
    assert_eq!(answer.timing.total_ms, 2_000);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_interrupts_does_not_wait_for_the_classifier_of_the_one_before() {
    let classifier = ScriptedModel::new([Reply::of([Step::Hang]), Reply::text(["easy"])]);
    let usual = ScriptedModel::new([Reply::text(["Well."])]);
    let sessions = builder(&MemoryStore::default(), &usual)
        .routes(classified(&classifier, &usual))
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Why?").await;
    client
        .until(|it| matches!(durable(it), Some(EventBody::UserMessage(_))).then_some(()))
        .await;
    let interrupt = UserInput {
        interrupt: true,
        ..message("m-2", "Forget it.")
    };
    session
        .submit(ClientMessage::UserMessage(interrupt))
        .await
        .unwrap();
    let [first, second] = [client.until_answer().await, client.until_answer().await];
    assert_eq!(first.message_id.as_str(), "m-1");
    assert_eq!(first.finish_reason, FinishReason::Cancelled);
    assert_eq!(
        (second.message_id.as_str(), second.content.as_str()),
        ("m-2", "Well.")
    );
    assert_eq!(second.timing.total_ms, 0);
    assert_eq!(classifier.broken_off(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_classifier_that_panics_costs_its_answer_and_not_the_session() {
    let classifier = ScriptedModel::new([Reply::of([Step::Panic]), Reply::text(["easy"])]);
    let usual = ScriptedModel::new([Reply::text(["Well."])]);
    let sessions = builder(&MemoryStore::default(), &usual)
        .routes(classified(&classifier, &usual))
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let answer = ask(&session, &mut client, "m-1", "Why?").await;
    assert_eq!(answer.finish_reason, FinishReason::Error);
    assert_eq!(
        ask(&session, &mut client, "m-2", "Why?").await.content,
        "Well."
    );
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_a_route_does_not_offer_is_not_run() {
    let usual = ScriptedModel::new([
        Reply::calls([call("c", "wait", json!({"millis": 1}))]),
        Reply::text(["Sorry."]),
    ]);
    let plan = Plan {
        tools: Some(vec![]),
        ..Plan::default()
    };
    let store = MemoryStore::default();
    let sessions = builder(&store, &usual)
        .routes(router([route("quiet", words("quietly"), plan)]))
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    ask(&session, &mut client, "m-1", "Wait quietly").await;
    let failed = log_of(&store).await.into_iter().any(|body| match body {
        EventBody::ToolResult(result) => !result.ok,
        _ => false,
    });
    assert!(failed);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_moves_keeps_its_calls_and_results() {
    let private = |reason| {
        Step::Say(ModelEvent::Finish {
            reason,
            usage: Usage::default(),
            provider_data: Some(ProviderData {
                kind: "first".to_owned(),
                data: json!("signature"),
            }),
        })
    };
    let first = ScriptedModel::new([
        Reply::of([
            text("Let me see. "),
            Step::Say(ModelEvent::ToolCall(call(
                "x",
                "wait",
                json!({"millis": 1}),
            ))),
            private(ModelFinish::ToolCalls),
        ]),
        Reply::of([text("1 ms."), private(ModelFinish::Stop)]),
        Reply::text(["Back."]),
    ]);
    let second = ScriptedModel::new([Reply::text(["Moved."])]).named("second", "second-1");
    let sessions = builder(&MemoryStore::default(), &first)
        .routes(router([route("move", words("move"), to(&second))]))
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    ask(&session, &mut client, "m-1", "How long?").await;
    ask(&session, &mut client, "m-2", "Move on").await;
    ask(&session, &mut client, "m-3", "And back").await;

    // The scripted model checks that each call has its result. What is private of another provider
    // goes along: each backend takes its own and leaves out the rest.
    let [before, after] = [second.requests().remove(0), first.requests().remove(2)];
    let shown = &before.messages;
    let [
        Message::User(_),
        Message::Assistant(step),
        Message::ToolResults(results),
        Message::Assistant(_),
        Message::User(_),
    ] = shown.as_slice()
    else {
        panic!("{shown:#?}")
    };
    assert!(matches!(
        step.parts.as_slice(),
        [AssistantPart::Text(_), AssistantPart::ToolCall(_)]
    ));
    assert_eq!(results.first().unwrap().outcome, Ok(json!({"waited": 1})));
    assert_eq!(step.provider_data.as_ref().unwrap().kind, "first");
    // Back at the first provider, what it said itself is as it was.
    assert_eq!(after.messages.get(..5), Some(shown.as_slice()));
    let Some(Message::Assistant(step)) = after.messages.get(5) else {
        panic!("{after:#?}")
    };
    assert_eq!(step.joined_text(), "Moved.");
}
