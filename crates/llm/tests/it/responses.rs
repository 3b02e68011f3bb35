//! What is particular to OpenAI's Responses: what a request holds, and what of an answer goes back
//! to the service with the next one.

use patter_llm::{
    Api, AssistantMessage, ChatModel, ChatRequest, FinishReason, Media, OpenAi, ProviderData,
    ReasoningEffort, Settings,
};
use patter_testkit::model_server::openai_responses::{
    begun, body, call, completed, delta, done, incomplete, message, reasoning, text,
};
use patter_testkit::model_server::{ModelServer, Reply};
use serde_json::{Value, json};

use crate::requests::{conversation, remembered, result, sent};
use crate::support::{Outcome, Wire, ask, ask_model};

/// An answer with these items.
fn answer(items: &[Value]) -> Reply {
    let finished = items
        .iter()
        .enumerate()
        .map(|(place, item)| done(place, item));
    body(finished.chain([completed(items)]))
}

/// An answer with these items that a limit cut.
fn cut_answer(items: &[Value]) -> Reply {
    let finished = items
        .iter()
        .enumerate()
        .map(|(place, item)| done(place, item));
    body(finished.chain([incomplete(items, "max_output_tokens")]))
}

/// Gets this answer, sends the results of its calls, and returns the body of that second request.
async fn second_request(first: Reply) -> Value {
    let server = ModelServer::start([first, text(["ok"])]).await;
    let model = Wire::Responses.model(Wire::Responses.settings(&server));
    let question = ChatRequest::new().user("Well?");
    let outcome = Outcome::collect(model.stream(&question).await.unwrap()).await;
    let message = remembered(&outcome);
    let results = message
        .tool_calls()
        .map(|call| result(call, Ok(json!("done"))))
        .collect::<Vec<_>>();
    let request = question.assistant(message).tool_results(results);
    model.stream(&request).await.unwrap();
    server.last_request().body
}

fn provider_data(outcome: &Outcome) -> Option<&ProviderData> {
    outcome.finish.as_ref().unwrap().2.as_ref()
}

#[tokio::test]
async fn a_whole_conversation_is_sent() {
    let image = Media::new("image/png", &b"not really"[..]);
    let paper = Media::new("application/pdf", &b"nor this"[..]).file_name("plan.pdf");
    let request = conversation().user_with([image, paper], "What is this?");
    let request = sent(Wire::Responses, &request).await;
    assert_eq!(request.path, "/responses");
    assert_eq!(request.headers["authorization"], "Bearer the-key");
    insta::assert_json_snapshot!("responses", request.body);
}

#[tokio::test]
async fn an_effort_is_sent_as_the_model_takes_it() {
    let cases = [
        (
            "gpt-6-luna",
            ReasoningEffort::Minimal,
            json!({"effort": "low", "summary": "auto"}),
        ),
        (
            "gpt-6-luna",
            ReasoningEffort::None,
            json!({"effort": "none"}),
        ),
        ("gpt-4.1", ReasoningEffort::High, Value::Null),
    ];
    for (model, effort, expected) in cases {
        let server = ModelServer::start([text(["ok"])]).await;
        let settings = Settings::new(model)
            .base_url(server.base_url())
            .api(Api::Responses)
            .reasoning_effort(effort);
        let question = ChatRequest::new().user("Hi").max_output_tokens(3);
        OpenAi::new(settings)
            .unwrap()
            .stream(&question)
            .await
            .unwrap();
        let body = server.last_request().body;
        assert_eq!(body["reasoning"], expected, "{model}");
        assert_eq!(body.get("include").is_some(), model != "gpt-4.1", "{body}");
        assert_eq!(body["max_output_tokens"], 16, "fewer are refused");
    }
}

#[tokio::test]
async fn reasoning_goes_back_before_the_calls_that_it_led_to() {
    let items = [
        reasoning("first"),
        message("Both now."),
        reasoning("second"),
        call("call_0", "f", &json!({"a": 1})),
        call("call_1", "g", &json!({})),
    ];
    let body = second_request(answer(&items)).await;
    assert_eq!(body["store"], false);
    assert_eq!(
        body["input"],
        json!([
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Well?"}]},
            {"type": "reasoning", "summary": [], "encrypted_content": "first"},
            {"type": "message", "role": "assistant",
                "content": [{"type": "output_text", "text": "Both now.", "annotations": []}]},
            {"type": "reasoning", "summary": [], "encrypted_content": "second"},
            {"type": "function_call", "call_id": "call_0", "name": "f", "arguments": "{\"a\":1}"},
            {"type": "function_call", "call_id": "call_1", "name": "g", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_0", "output": "done"},
            {"type": "function_call_output", "call_id": "call_1", "output": "done"},
        ])
    );
}

#[tokio::test]
async fn the_reasoning_that_goes_back_is_that_of_the_finished_item() {
    let items = [reasoning("final"), message("Hi.")];
    let events = [
        begun(0, &reasoning("early")),
        done(0, &items[0]),
        begun(1, &items[1]),
        delta(1, "Hi."),
        done(1, &items[1]),
        completed(&items),
    ];
    let outcome = ask(Wire::Responses, body(events)).await;
    assert_eq!(outcome.text, "Hi.");
    let kept = provider_data(&outcome).unwrap().data.to_string();
    assert!(kept.contains("final") && !kept.contains("early"), "{kept}");
}

#[tokio::test]
async fn a_phase_goes_back_with_its_message() {
    let mut comment = message("I look.");
    comment["phase"] = json!("commentary");
    let items = [comment, call("call_0", "f", &json!({}))];
    let body = second_request(answer(&items)).await;
    assert_eq!(body["input"][1]["phase"], "commentary");
    assert_eq!(body["input"][1]["content"][0]["text"], "I look.");
}

#[tokio::test]
async fn another_model_or_api_gets_nothing_of_the_private_data() {
    let items = [reasoning("secret"), call("call_0", "f", &json!({}))];
    let server = ModelServer::start([answer(&items), text(["ok"])]).await;
    let settings = Wire::Responses.settings(&server);
    let outcome = ask_model(&*Wire::Responses.model(settings)).await;
    let message = remembered(&outcome);
    assert!(message.provider_data.is_some());
    let request = ChatRequest::new().user("Well?").assistant(message);
    let other = Settings::new("gpt-6-sol")
        .base_url(server.base_url())
        .api(Api::Responses);
    OpenAi::new(other).unwrap().stream(&request).await.unwrap();
    assert_eq!(
        server.last_request().body["input"].as_array().unwrap()[1..],
        [
            json!({"type": "function_call", "call_id": "own-0", "name": "f", "arguments": "{}"}),
            json!({"type": "function_call_output", "call_id": "own-0",
                "output": "{\"error\":\"the call was not run\"}"}),
        ]
    );
    for wire in [Wire::OpenAi, Wire::Gemini] {
        let body = sent(wire, &request).await.body.to_string();
        assert!(
            !body.contains("secret") && !body.contains("call_0"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn data_is_sent_where_it_fits_its_message_and_nowhere_else() {
    let server = ModelServer::start_with(|_| text(["ok"])).await;
    let model = OpenAi::new(Wire::Responses.settings(&server)).unwrap();
    let base = server.base_url();
    let host = base.strip_prefix("http://").unwrap();
    let name = OpenAi::DEFAULT_MODEL;
    let item = json!({"type": "message", "role": "assistant", "phase": "x", "content": []});
    let call = json!({"type": "function_call", "call_id": "c"});
    let neutral = json!({"type": "message", "role": "assistant",
        "content": [{"type": "output_text", "text": "Hello."}]});
    let cases = [
        (json!({"host": host, "model": name, "items": [item]}), &item),
        (
            json!({"host": "api.openai.com", "model": name, "items": [item]}),
            &neutral,
        ),
        (
            json!({"host": host, "model": "gpt-6-sol", "items": [item]}),
            &neutral,
        ),
        (
            json!({"host": host, "model": name, "items": [call]}),
            &neutral,
        ),
        (json!({"host": host, "model": name, "items": 7}), &neutral),
        (json!({"host": host, "model": name}), &neutral),
        (json!([item]), &neutral),
        (json!(null), &neutral),
    ];
    for (data, expected) in cases {
        let mut said = AssistantMessage::text("Hello.");
        let kind = "openai-responses".to_owned();
        said.provider_data = Some(ProviderData { kind, data });
        let request = ChatRequest::new().user("Hi").assistant(said);
        model.stream(&request).await.unwrap();
        assert_eq!(&server.last_request().body["input"][1], expected);
    }
}

#[tokio::test]
async fn reasoning_after_which_nothing_came_is_not_kept() {
    let alone = ask(Wire::Responses, cut_answer(&[reasoning("lost")])).await;
    assert_eq!(alone.reason(), Some(FinishReason::Length));
    assert_eq!(provider_data(&alone), None);
    let mut cut = call("call_1", "g", &json!({"a": 1}));
    cut["status"] = json!("incomplete");
    cut["arguments"] = json!("{\"a\":");
    let items = [
        reasoning("kept"),
        call("call_0", "f", &json!({"a": 1})),
        reasoning("lost"),
        cut,
    ];
    let outcome = ask(Wire::Responses, cut_answer(&items)).await;
    assert_eq!(outcome.calls.len(), 1);
    let kept = provider_data(&outcome).unwrap().data.to_string();
    assert!(
        kept.contains("kept") && !kept.contains("lost") && !kept.contains("call_1"),
        "{kept}"
    );
}

#[tokio::test]
async fn an_answer_without_readable_reasoning_leaves_nothing_to_keep() {
    let mut unreadable = reasoning("");
    unreadable["encrypted_content"] = Value::Null;
    for items in [vec![message("Hi")], vec![unreadable, message("Hi")]] {
        let outcome = ask(Wire::Responses, answer(&items)).await;
        assert_eq!(outcome.text, "Hi");
        assert_eq!(provider_data(&outcome), None);
    }
}

#[tokio::test]
async fn a_call_without_an_id_gets_one_that_goes_back_with_it() {
    let mut nameless = call("", "f", &json!({}));
    nameless.as_object_mut().unwrap().remove("call_id");
    let items = [reasoning("r"), nameless];
    let body = second_request(answer(&items)).await;
    let id = body["input"][2]["call_id"].as_str().unwrap();
    assert!(id.starts_with("call_"), "{body}");
    assert_eq!(body["input"][3]["call_id"], id);
}

#[tokio::test]
async fn what_the_service_puts_into_its_cache_is_counted() {
    let body = r#"data: {"type":"response.completed","response":{"status":"completed","output":[],"usage":{"input_tokens":2000,"input_tokens_details":{"cached_tokens":500,"cache_write_tokens":1500},"output_tokens":1}}}"#;
    let outcome = ask(Wire::Responses, Reply::sse(format!("{body}\n\n"))).await;
    let (_, usage, _) = outcome.finish.unwrap();
    assert_eq!(usage.cached_input_tokens, Some(500));
    assert_eq!(usage.cache_write_tokens, Some(1500));
}
