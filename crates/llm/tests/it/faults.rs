//! Faults that take more to see than a row of the [fault table](crate::fault_table).

use std::time::Duration;

use patter_llm::{ChatModel, ChatRequest, LlmError, Settings, Timeouts};
use patter_testkit::model_server::{ModelServer, Reply, openai};
use secrecy::SecretString;
use serde_json::json;

use crate::support::{PATIENT, Wire, ask, ask_model};

async fn error(wire: Wire, reply: Reply) -> LlmError {
    ask(wire, reply).await.error.unwrap()
}

fn text(wire: Wire) -> Reply {
    wire.text(["Hel", "lo"])
}

#[tokio::test]
async fn a_bad_key_is_told_apart_from_a_bad_request() {
    let bad_key = json!({"error": {"code": 400, "message": "API key not valid.",
        "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}});
    let refused = error(Wire::Gemini, Reply::json(400, &bad_key)).await;
    assert!(matches!(refused, LlmError::Auth { .. }), "{refused:?}");
    for wire in Wire::ALL {
        let refused = error(wire, Reply::json(422, &json!({"detail": "no"}))).await;
        assert!(
            matches!(refused, LlmError::InvalidRequest { .. }),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn the_wait_that_a_provider_asks_for_is_reported() {
    let refusal = || openai::refusal(429, "rate_limit_exceeded", "slow down");
    let refused = error(Wire::OpenAi, refusal().header("retry-after", "7")).await;
    assert_eq!(
        refused.retry_after(),
        Some(Duration::from_secs(7)),
        "{refused:?}"
    );
    let detailed = json!({"error": {"code": 429, "message": "Please retry in 9s.",
        "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "8.5s"}]}});
    let reply = Reply::json(429, &detailed).header("retry-after", "7");
    let refused = error(Wire::Gemini, reply).await;
    assert_eq!(
        refused.retry_after(),
        Some(Duration::from_millis(8500)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_refused_connection_is_an_error_that_names_no_key() {
    let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = unused.local_addr().unwrap();
    drop(unused);
    for wire in Wire::ALL {
        let settings = Settings::new("m")
            .base_url(format!("http://user:secret-password@{address}"))
            .key(SecretString::from("secret-key"));
        assert!(!format!("{settings:?}").contains("secret"));
        let model = wire.model(settings);
        assert!(!format!("{model:?}").contains("secret"), "{model:?}");
        let error = ask_model(&*model).await.error.unwrap();
        assert!(matches!(error, LlmError::Connection { .. }), "{error:?}");
        assert!(
            !format!("{error:?} {error}").contains("secret"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn comments_keep_a_quiet_answer_alive() {
    const COMMENT: &str = ": still here\n\n";
    let limit = Duration::from_millis(600);
    let first = format!("data: {}\n\n", openai::delta(&json!({"content": "Hi"})));
    let last = format!("data: {}\n\n", openai::finish("stop"));
    let comments = COMMENT.repeat(6);
    let quiet = [COMMENT.len(); 6];
    let sizes = [&quiet[..], &[first.len()], &quiet[..], &[last.len()]];
    let reply = Reply::sse(format!("{comments}{first}{comments}{last}"))
        .in_pieces(sizes.concat())
        .delay(limit / 4);
    let limits = Timeouts {
        first_token: limit,
        next_token: limit,
        ..PATIENT
    };
    let server = ModelServer::start([reply]).await;
    let settings = Wire::OpenAi.settings(&server).timeouts(limits);
    let outcome = ask_model(&*Wire::OpenAi.model(settings)).await;
    assert_eq!(
        (outcome.text.as_str(), outcome.error.is_none()),
        ("Hi", true),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_long_refusal_is_cut_and_a_key_in_it_is_taken_out() {
    for wire in Wire::ALL {
        let message = format!(
            "Incorrect API key provided: sk-very-secret. {}",
            "x".repeat(1 << 20)
        );
        let server = ModelServer::start([openai::refusal(401, "invalid_api_key", &message)]).await;
        let settings = wire
            .settings(&server)
            .key(SecretString::from("sk-very-secret"));
        let error = ask_model(&*wire.model(settings)).await.error.unwrap();
        assert!(matches!(error, LlmError::Auth { .. }), "{error:?}");
        let shown = format!("{error:?} {error}");
        assert!(
            !shown.contains("very-secret") && shown.len() < 4_000,
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for wire in Wire::ALL {
        let elsewhere = ModelServer::start([text(wire)]).await;
        let reply = Reply::json(307, &json!({})).header("location", &elsewhere.base_url());
        let error = error(wire, reply).await;
        assert!(
            matches!(error, LlmError::InvalidRequest { .. }),
            "{error:?}"
        );
        assert!(elsewhere.requests().is_empty());
    }
}

#[tokio::test]
async fn a_web_page_in_place_of_an_answer_is_named_as_one() {
    let page = Reply::sse("<html></html>");
    for wire in Wire::ALL {
        let error = error(wire, page.clone().content_type("text/html; charset=utf-8")).await;
        assert!(error.to_string().contains("web page"), "{error}");
    }
}

#[tokio::test]
async fn a_model_can_be_asked_again_after_an_error() {
    for wire in Wire::ALL {
        let server = ModelServer::start([text(wire).broken_after(3), text(wire)]).await;
        let model: Box<dyn ChatModel> = wire.model(wire.settings(&server));
        assert!(ask_model(&*model).await.error.is_some());
        assert_eq!(ask_model(&*model).await.text, "Hello");
        assert!(
            model.stream(&ChatRequest::new()).await.is_err(),
            "the script is over"
        );
    }
}
