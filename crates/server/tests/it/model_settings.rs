//! What the configuration says of models reaches their providers.
#![expect(
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use patter_testkit::model_server::{ModelServer, gemini, openai};
use serde_json::Value;

use crate::support::TestServer;

/// The request that is sent for one message.
async fn request(model: &ModelServer, settings: &[(&str, &str)]) -> Value {
    let server = TestServer::start(settings).await;
    let mut client = server.connect("one").await;
    client.say("m1", "Hello?").await;
    client.expect("ai_response").await;
    client.close().await;
    let request = model.requests()[0].clone();
    server.stop().await;
    request.body
}

#[tokio::test]
async fn the_effort_is_sent_where_it_is_set() {
    let sent = async |effort: &[(&str, &str)]| {
        let model = ModelServer::start([openai::text(["Fine."])]).await;
        let base_url = format!("{}/v1", model.base_url());
        let usual = [
            ("llm.provider", "openai"),
            ("llm.model", "some-thinker"),
            ("openai.base_url", &base_url),
        ];
        let body = request(&model, &[&usual, effort].concat()).await;
        body["reasoning_effort"].clone()
    };
    assert_eq!(sent(&[]).await, Value::Null);
    assert_eq!(sent(&[("llm.reasoning_effort", "low")]).await, "low");
}

#[tokio::test]
async fn gemini_gets_the_schemas_of_tools_in_the_form_that_is_set() {
    let sent = async |form: &[(&str, &str)]| {
        let model = ModelServer::start([gemini::text(["Fine."])]).await;
        let base_url = model.base_url();
        let usual = [
            ("llm.provider", "gemini"),
            ("gemini.api_key", "g"),
            ("gemini.base_url", &base_url),
        ];
        let body = request(&model, &[&usual, form].concat()).await;
        let tool = &body["tools"][0]["functionDeclarations"][0];
        (
            tool["parametersJsonSchema"].is_object(),
            tool["parameters"].is_object(),
        )
    };
    assert_eq!(sent(&[]).await, (true, false));
    assert_eq!(
        sent(&[("gemini.tool_schema", "open_api")]).await,
        (false, true)
    );
}

#[tokio::test]
async fn a_provider_of_one_s_own_is_asked_by_the_api_that_is_set() {
    let asked = async |api: &[(&str, &str)]| {
        let model = ModelServer::start([openai::text(["Fine."])]).await;
        let base_url = format!("{}/v1", model.base_url());
        let usual = [
            ("llm.provider", "mine"),
            ("llm.retries", "0"),
            ("providers.mine.base_url", base_url.as_str()),
            ("providers.mine.model", "m"),
        ];
        request(&model, &[&usual, api].concat()).await;
        model.requests()[0].path.clone()
    };
    assert_eq!(asked(&[]).await, "/v1/chat/completions");
    assert_eq!(
        asked(&[("providers.mine.api", "responses")]).await,
        "/v1/responses"
    );
}

#[tokio::test]
async fn a_conversation_is_cut_to_the_window_that_is_set() {
    let model = ModelServer::start_with(|_| openai::text(["Fine."])).await;
    let base_url = format!("{}/v1", model.base_url());
    let server = TestServer::start(&[
        ("llm.provider", "openai"),
        ("openai.base_url", &base_url),
        ("models.0.provider", "openai"),
        ("models.0.name", "gpt-6-luna"),
        ("models.0.context_window", "4000"),
    ])
    .await;
    let mut client = server.connect("long").await;
    let long = "many words ".repeat(300);
    for number in 0..8 {
        client.say(&format!("m{number}"), &long).await;
        client.expect("ai_response").await;
    }
    let turns = |request: &Value| request["messages"].as_array().unwrap().len();
    let counts: Vec<_> = model.requests().iter().map(|it| turns(&it.body)).collect();
    // The system text, seven turns of two messages, and the last message.
    let whole = 1 + 7 * 2 + 1;
    assert!(counts.iter().all(|count| *count < whole), "{counts:?}");
    client.close().await;
    server.stop().await;
}
