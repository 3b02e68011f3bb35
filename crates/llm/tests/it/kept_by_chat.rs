//! What a server of Chat Completions gives with a call and gets back: to itself, and to nobody else.

use std::path::Path;

use patter_llm::{AssistantMessage, AssistantPart, ChatModel, ChatRequest, OpenAi, ToolResult};
use patter_testkit::model_server::{ModelServer, Reply, openai};
use serde_json::{Value, json};

use crate::support::{Outcome, Wire};

/// Answers a question with this fixture, then sends the results of its calls to the given model of
/// a server, the same by default, and returns the messages of that second request.
async fn second_request(fixture: &str, model: &str, other_server: bool) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openai");
    let body = std::fs::read(path.join(fixture).with_extension("sse")).unwrap();
    let first = ModelServer::start([Reply::sse(body), openai::text(["ok"])]).await;
    let other = ModelServer::start([openai::text(["ok"])]).await;
    let question = ChatRequest::new().user("Well?");
    let asked = OpenAi::new(Wire::OpenAi.settings(&first)).unwrap();
    let outcome = Outcome::collect(asked.stream(&question).await.unwrap()).await;

    let server = if other_server { &other } else { &first };
    let settings = patter_llm::Settings::new(model).base_url(server.base_url());
    let request = question
        .assistant(remembered(&outcome))
        .tool_results(results(&remembered(&outcome)));
    let asked = OpenAi::new(settings).unwrap();
    asked.stream(&request).await.unwrap();
    server.last_request().body["messages"].clone()
}

/// The message that a session makes of an answer, with ids of its own.
fn remembered(outcome: &Outcome) -> AssistantMessage {
    let calls = outcome.calls.iter().cloned().enumerate();
    AssistantMessage {
        parts: calls
            .map(|(place, mut call)| {
                call.id = format!("own-{place}");
                AssistantPart::ToolCall(call)
            })
            .collect(),
        provider_data: outcome.finish.as_ref().unwrap().2.clone(),
    }
}

fn results(message: &AssistantMessage) -> Vec<ToolResult> {
    message
        .tool_calls()
        .map(|call| ToolResult {
            call_id: call.id.clone(),
            name: call.name.clone(),
            outcome: Ok(json!("done")),
        })
        .collect()
}

#[tokio::test]
async fn reasoning_goes_back_with_the_calls_that_followed_it() {
    let messages = second_request("reasoning-then-call", OpenAi::DEFAULT_MODEL, false).await;
    insta::assert_json_snapshot!("chat_reasoning_content", messages);
}

#[tokio::test]
async fn pieces_of_reasoning_details_go_back_as_one() {
    let messages = second_request("reasoning-details", OpenAi::DEFAULT_MODEL, false).await;
    insta::assert_json_snapshot!("chat_reasoning_details", messages);
}

#[tokio::test]
async fn what_stood_beside_a_call_goes_back_beside_it() {
    let messages = second_request(
        "signed-calls-without-a-number",
        OpenAi::DEFAULT_MODEL,
        false,
    )
    .await;
    insta::assert_json_snapshot!("chat_extra_content", messages);
}

#[tokio::test]
async fn another_model_and_another_server_get_none_of_it() {
    let fixtures = [
        "reasoning-then-call",
        "reasoning-details",
        "signed-calls-without-a-number",
    ];
    for fixture in fixtures {
        let model = OpenAi::DEFAULT_MODEL;
        for (model, other_server) in [("another", false), (model, true)] {
            let messages = second_request(fixture, model, other_server).await;
            let call = &messages[1]["tool_calls"][0];
            assert_eq!(call["id"], "own-0", "{fixture} {messages}");
            assert_eq!(messages[2]["tool_call_id"], "own-0", "{fixture}");
            for private in ["reasoning", "extra_content"] {
                assert!(!messages.to_string().contains(private), "{messages}");
            }
        }
    }
}

#[tokio::test]
async fn a_step_without_calls_keeps_nothing() {
    let server = ModelServer::start([openai::body([
        openai::delta(&json!({"reasoning_content": "Hm."})),
        openai::delta(&json!({"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]})),
        openai::delta(&json!({"content": "Three."})),
        openai::finish("stop"),
    ])])
    .await;
    let model = Wire::OpenAi.model(Wire::OpenAi.settings(&server));
    let answer = model.stream(&ChatRequest::new().user("Hi")).await.unwrap();
    let (_, _, provider_data) = Outcome::collect(answer).await.finish.unwrap();
    assert_eq!(provider_data, None);
}
