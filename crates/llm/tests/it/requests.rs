//! What the backends send.

use patter_llm::{
    AssistantMessage, AssistantPart, ChatModel, ChatRequest, Gemini, Media, OpenAi, ProviderData,
    ReasoningEffort, SchemaForm, Settings, ToolCall, ToolDeclaration, ToolResult,
};
use patter_testkit::model_server::{ModelServer, RecordedRequest, gemini, openai};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::support::{Outcome, Wire};

fn call(id: &str, name: &str, arguments: &Value) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.as_object().cloned().unwrap(),
    }
}

pub(crate) fn result(call: &ToolCall, outcome: Result<Value, &str>) -> ToolResult {
    ToolResult {
        call_id: call.id.clone(),
        name: call.name.clone(),
        outcome: outcome.map_err(str::to_owned),
    }
}

/// A conversation with everything in it.
pub(crate) fn conversation() -> ChatRequest {
    let calls = [
        call("id-1", "read_meter", &json!({"room": "hall"})),
        call("id-2", "list_rooms", &json!({})),
        call("id-3", "read_meter", &json!({"room": "attic"})),
    ];
    let mut parts = vec![AssistantPart::Text("Let me see.".into())];
    parts.extend(calls.iter().cloned().map(AssistantPart::ToolCall));
    let mut request = ChatRequest::new()
        .system("Be brief.")
        .user("Is anybody there?")
        .user("I mean, at home?")
        .assistant(AssistantMessage { parts, provider_data: None })
        .tool_results(vec![
            result(&calls[1], Err("the house does not answer")),
            result(&calls[0], Ok(json!({"watts": 40}))),
        ])
        .assistant(AssistantMessage::text("It seems so."))
        .user("Thanks.")
        .tools([ToolDeclaration {
            name: "read_meter".into(),
            description: "Reads the power meter of a room.".into(),
            parameters: json!({"type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"], "additionalProperties": false}),
        }])
        .max_output_tokens(200);
    request.temperature = Some(0.5);
    request
}

pub(crate) async fn sent(wire: Wire, request: &ChatRequest) -> RecordedRequest {
    sent_with(wire, request, |settings| settings).await
}

async fn sent_with(
    wire: Wire,
    request: &ChatRequest,
    change: impl FnOnce(Settings) -> Settings,
) -> RecordedRequest {
    let reply = wire.text(["ok"]);
    let server = ModelServer::start([reply]).await;
    let settings = wire.settings(&server).key(SecretString::from(" the-key\n"));
    let answer = wire.model(change(settings)).stream(request).await.unwrap();
    Outcome::collect(answer).await;
    server.last_request()
}

#[tokio::test]
async fn gemini_is_sent_a_whole_conversation() {
    let request = sent(Wire::Gemini, &conversation()).await;
    let path = "/v1beta/models/gemini-3.5-flash-lite:streamGenerateContent?alt=sse";
    assert_eq!(request.path, path);
    assert_eq!(request.headers["x-goog-api-key"], "the-key");
    insta::assert_json_snapshot!("gemini", request.body);
}

#[tokio::test]
async fn openai_is_sent_a_whole_conversation() {
    let request = sent(Wire::OpenAi, &conversation()).await;
    assert_eq!(request.path, "/chat/completions");
    assert_eq!(request.headers["authorization"], "Bearer the-key");
    insta::assert_json_snapshot!("openai", request.body);
}

#[tokio::test]
async fn no_compression_is_asked_for() {
    for wire in Wire::ALL {
        let request = sent(wire, &ChatRequest::new().user("Hi")).await;
        assert!(
            !request.headers.contains_key("accept-encoding"),
            "{:?}",
            request.headers
        );
        assert_eq!(request.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn without_a_key_none_is_sent() {
    let server = ModelServer::start([openai::text(["ok"]), gemini::text(["ok"])]).await;
    for wire in [Wire::OpenAi, Wire::Gemini] {
        let settings = wire.settings(&server).key(SecretString::from(" "));
        wire.model(settings)
            .stream(&ChatRequest::new().user("Hi"))
            .await
            .unwrap();
        let headers = server.last_request().headers;
        assert!(!headers.contains_key("authorization") && !headers.contains_key("x-goog-api-key"));
    }
}

/// The message that a session makes of an answer: its own ids, the provider's data beside it.
pub(crate) fn remembered(outcome: &Outcome) -> AssistantMessage {
    let mut parts = Vec::new();
    if !outcome.text.is_empty() {
        parts.push(AssistantPart::Text(outcome.text.clone()));
    }
    parts.extend(outcome.calls.iter().enumerate().map(|(index, call)| {
        AssistantPart::ToolCall(ToolCall {
            id: format!("own-{index}"),
            ..call.clone()
        })
    }));
    let provider_data = outcome.finish.as_ref().unwrap().2.clone();
    AssistantMessage {
        parts,
        provider_data,
    }
}

/// Gets an answer with two calls, sends their results to the given model, and returns the
/// contents of that second request.
async fn second_request(model: &str, answer: Vec<Value>) -> Value {
    let server = ModelServer::start([gemini::body(answer), gemini::text(["ok"])]).await;
    let question = ChatRequest::new().user("Well?");
    let first = Gemini::new(Wire::Gemini.settings(&server)).unwrap();
    let outcome = Outcome::collect(first.stream(&question).await.unwrap()).await;
    let message = remembered(&outcome);
    let results = message
        .tool_calls()
        .map(|call| result(call, Ok(json!("done"))))
        .collect::<Vec<_>>();
    let request = question.assistant(message).tool_results(results);
    let settings = Settings::new(model).base_url(server.base_url());
    Gemini::new(settings)
        .unwrap()
        .stream(&request)
        .await
        .unwrap();
    server.last_request().body["contents"].clone()
}

fn signed_answer() -> Vec<Value> {
    vec![
        gemini::parts(&json!([{"text": "Both "}])),
        gemini::parts(&json!([{"text": "now."}])),
        gemini::parts(
            &json!([{"functionCall": {"id": "n1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}]),
        ),
        gemini::parts(&json!([{"functionCall": {"name": "g", "args": {}}}])),
        gemini::parts(&json!([{"text": "", "thoughtSignature": "dGFpbA=="}])),
        gemini::finish("STOP"),
    ]
}

#[tokio::test]
async fn a_signed_answer_goes_back_as_it_came() {
    let contents = second_request(Gemini::DEFAULT_MODEL, signed_answer()).await;
    assert_eq!(
        contents[1]["parts"],
        json!([
            {"text": "Both now."},
            {"functionCall": {"id": "n1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
            {"functionCall": {"name": "g", "args": {}}},
            {"text": "", "thoughtSignature": "dGFpbA=="},
        ])
    );
    assert_eq!(
        contents[2]["parts"],
        json!([
            {"functionResponse": {"id": "n1", "name": "f", "response": {"output": "done"}}},
            {"functionResponse": {"name": "g", "response": {"output": "done"}}},
        ])
    );
}

#[tokio::test]
async fn another_model_gets_a_stand_in_for_the_signature_if_it_wants_one() {
    let newer = second_request("gemini-4-neon", signed_answer()).await;
    let parts = newer[1]["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 3);
    assert_eq!(
        parts[1]["thoughtSignature"],
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I"
    );
    assert_eq!(parts[2].get("thoughtSignature"), None);
    assert_eq!(newer[2]["parts"][0]["functionResponse"]["id"], "own-0");
    let older = second_request("gemini-2.5-flash", signed_answer()).await;
    assert!(!older.to_string().contains("thoughtSignature"), "{older}");
}

#[tokio::test]
async fn signatures_go_neither_to_another_server_nor_to_other_calls() {
    let replies = || [gemini::body(signed_answer()), gemini::text(["ok"])];
    let server = ModelServer::start(replies()).await;
    let other = ModelServer::start([gemini::text(["ok"])]).await;
    let question = ChatRequest::new().user("Well?");
    let model = Wire::Gemini.model(Wire::Gemini.settings(&server));
    let outcome = Outcome::collect(model.stream(&question).await.unwrap()).await;
    let whole = remembered(&outcome);
    let mut fewer = whole.clone();
    fewer.parts.pop();
    for (message, server) in [(whole, &other), (fewer, &server)] {
        let model = Wire::Gemini.model(Wire::Gemini.settings(server));
        let request = question.clone().assistant(message);
        model.stream(&request).await.unwrap();
        let body = server.last_request().body.to_string();
        assert!(!body.contains("c2ln") && !body.contains("n1"), "{body}");
        assert!(body.contains("functionCall"), "{body}");
    }
}

#[tokio::test]
async fn gemini_is_sent_no_empty_texts() {
    let picture = Media::new("image/png", &b"\x89PNG"[..]);
    let request = ChatRequest::new().system("").user_with([picture], "");
    let body = sent(Wire::Gemini, &request).await.body;
    assert_eq!(body["contents"][0]["parts"].as_array().unwrap().len(), 1);
    assert_eq!(body.get("systemInstruction"), None);
}

#[tokio::test]
async fn a_temperature_goes_to_models_that_take_one() {
    let mut request = ChatRequest::new().user("Hi");
    request.temperature = Some(0.5);
    for wire in [Wire::OpenAi, Wire::Responses] {
        let body = sent(wire, &request).await.body;
        assert_eq!(body.get("temperature"), None, "{wire:?}");
        let unmoved = sent_with(wire, &request, |settings| {
            settings.reasoning_effort(ReasoningEffort::None)
        });
        assert_eq!(unmoved.await.body["temperature"], 0.5, "{wire:?}");
    }
}

#[tokio::test]
async fn an_answer_without_signatures_leaves_nothing_to_keep() {
    let server = ModelServer::start([gemini::text(["Hi"])]).await;
    let model = Wire::Gemini.model(Wire::Gemini.settings(&server));
    let answer = model.stream(&ChatRequest::new().user("Hi")).await.unwrap();
    let (_, _, provider_data) = Outcome::collect(answer).await.finish.unwrap();
    assert_eq!(provider_data, None);
}

#[tokio::test]
async fn data_that_does_not_fit_its_message_is_not_sent() {
    let strange = [json!(null), json!([{"text": "x"}])];
    for data in strange {
        let mut message = AssistantMessage::text("Hello.");
        message.provider_data = Some(ProviderData {
            kind: "gemini".into(),
            data,
        });
        let request = ChatRequest::new()
            .user("Hi")
            .assistant(message)
            .user("Go on.");
        let body = sent(Wire::Gemini, &request).await.body;
        assert_eq!(
            body["contents"][1],
            json!({"role": "model", "parts": [{"text": "Hello."}]})
        );
    }
}

#[tokio::test]
async fn a_step_without_text_and_calls_is_left_out() {
    for (wire, messages) in [(Wire::Gemini, "contents"), (Wire::OpenAi, "messages")] {
        let mut message = AssistantMessage::text("");
        message.provider_data = Some(ProviderData {
            kind: "another".into(),
            data: json!({}),
        });
        let request = ChatRequest::new().user("Hi").assistant(message);
        let body = sent(wire, &request).await.body;
        assert_eq!(body[messages].as_array().unwrap().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn tools_switch_reasoning_off_where_the_two_do_not_go_together() {
    let mut request = ChatRequest::new().user("Hi");
    assert_eq!(
        sent(Wire::OpenAi, &request)
            .await
            .body
            .get("reasoning_effort"),
        None
    );
    request.tools.push(ToolDeclaration {
        name: "f".into(),
        description: String::new(),
        parameters: Value::Object(Map::new()),
    });
    assert_eq!(
        sent(Wire::OpenAi, &request).await.body["reasoning_effort"],
        "none"
    );
    assert_eq!(OpenAi::DEFAULT_MODEL, "gpt-6-luna");
}

#[tokio::test]
async fn files_go_along_in_the_place_where_they_stand() {
    let files = [
        Media::new("image/png", &b"\x89PNG"[..]),
        Media::new("application/pdf", &b"%PDF"[..]).file_name("bill.pdf"),
        Media::new("text/plain", &b"a"[..]),
    ];
    let request = ChatRequest::new().user_with(files, "What are these?");
    for (wire, name) in [
        (Wire::Gemini, "gemini_files"),
        (Wire::OpenAi, "openai_files"),
    ] {
        insta::assert_json_snapshot!(name, sent(wire, &request).await.body);
    }
}

#[tokio::test]
async fn gemini_is_sent_a_reduced_schema_and_an_effort_where_they_are_set() {
    let mut request = ChatRequest::new().user("Hi");
    let settings = json!({"type": "object", "additionalProperties": false, "properties": {
        "room": {"$ref": "#/$defs/room"},
        "level": {"type": ["integer", "null"], "exclusiveMinimum": 0},
        "mode": {"oneOf": [{"const": "on"}, {"const": "off"}]},
    }, "required": ["room"], "$defs": {"room": {"type": "string", "minLength": 1}}});
    for (name, parameters) in [
        ("set_light", settings),
        ("list_rooms", json!({"type": "object"})),
    ] {
        request.tools.push(ToolDeclaration {
            name: name.into(),
            description: String::new(),
            parameters,
        });
    }
    let sent = sent_with(Wire::Gemini, &request, |settings| {
        settings
            .schema_form(SchemaForm::OpenApi)
            .reasoning_effort(ReasoningEffort::XHigh)
    });
    insta::assert_json_snapshot!("gemini_open_api", sent.await.body);
}

#[tokio::test]
async fn nothing_is_sent_that_nobody_set() {
    for (wire, expected) in [
        (Wire::Gemini, vec!["contents"]),
        (
            Wire::OpenAi,
            vec!["messages", "model", "stream", "stream_options"],
        ),
    ] {
        let body = sent(wire, &ChatRequest::new().user("Hi")).await.body;
        let names: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn an_effort_goes_to_any_server_as_it_is_set() {
    let request = ChatRequest::new().user("Hi");
    let sent = sent_with(Wire::OpenAi, &request, |settings| {
        settings.reasoning_effort(ReasoningEffort::Minimal)
    });
    assert_eq!(sent.await.body["reasoning_effort"], "minimal");
}

#[tokio::test]
async fn a_query_in_the_base_url_is_kept() {
    let server = ModelServer::start([openai::text(["ok"])]).await;
    let base = server.base_url() + "/openai/deployments/mine/?api-version=2026-01-01";
    let settings = Wire::OpenAi.settings(&server).base_url(base);
    let request = ChatRequest::new().user("Hi");
    Wire::OpenAi.model(settings).stream(&request).await.unwrap();
    assert_eq!(
        server.last_request().path,
        "/openai/deployments/mine/chat/completions?api-version=2026-01-01"
    );
}
