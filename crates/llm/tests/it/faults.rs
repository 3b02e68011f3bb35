//! Providers that refuse, hang, break off and send rubbish.

use std::time::Duration;

use patter_llm::{ChatModel, ChatRequest, LlmError, Settings, TimeoutPhase, Timeouts};
use patter_testkit::model_server::{ModelServer, Release, Reply, gemini, openai};
use secrecy::SecretString;
use serde_json::json;

use crate::support::{Outcome, PATIENT, Wire, ask, ask_model};

/// Time enough for a local server, and not for a hanging one.
const SHORT: Duration = Duration::from_millis(150);

async fn error(wire: Wire, reply: Reply) -> LlmError {
    ask(wire, reply).await.error.unwrap()
}

async fn with_timeouts(wire: Wire, reply: Reply, timeouts: Timeouts) -> Outcome {
    let server = ModelServer::start([reply]).await;
    ask_model(&*wire.model(wire.settings(&server).timeouts(timeouts))).await
}

fn text(wire: Wire) -> Reply {
    match wire {
        Wire::Gemini => gemini::text(["Hel", "lo"]),
        Wire::OpenAi => openai::text(["Hel", "lo"]),
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let refused = error(Wire::OpenAi, openai::refusal(401, "invalid_api_key", "no")).await;
    assert!(matches!(refused, LlmError::Auth { .. }), "{refused:?}");
    let bad_key = json!({"error": {"code": 400, "message": "API key not valid.",
        "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}});
    let refused = error(Wire::Gemini, Reply::json(400, &bad_key)).await;
    assert!(matches!(refused, LlmError::Auth { .. }), "{refused:?}");
    for wire in Wire::BOTH {
        let refused = error(wire, gemini::refusal(404, "NOT_FOUND", "no such model")).await;
        assert!(matches!(refused, LlmError::NotFound { .. }), "{refused:?}");
        let refused = error(wire, gemini::refusal(503, "UNAVAILABLE", "overloaded")).await;
        assert!(matches!(refused, LlmError::Server { .. }) && refused.is_retryable());
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
    for wire in Wire::BOTH {
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
async fn silence_is_a_timeout_that_says_what_was_missing() {
    for wire in Wire::BOTH {
        let first = text(wire).bytes_of_events(1);
        let never = Release::default();
        let cases = [
            (
                Reply::silence(),
                Timeouts {
                    headers: SHORT,
                    ..PATIENT
                },
                TimeoutPhase::Headers,
            ),
            (
                text(wire).stalled_after(0, &never),
                Timeouts {
                    first_token: SHORT,
                    ..PATIENT
                },
                TimeoutPhase::FirstToken,
            ),
            (
                text(wire).stalled_after(first, &never),
                Timeouts {
                    next_token: SHORT,
                    ..PATIENT
                },
                TimeoutPhase::NextToken,
            ),
        ];
        for (reply, timeouts, expected) in cases {
            let outcome = with_timeouts(wire, reply, timeouts).await;
            match outcome.error {
                Some(LlmError::Timeout { phase, limit, .. }) => {
                    assert_eq!((phase, limit), (expected, SHORT));
                }
                other => panic!("{expected:?}: {other:?}"),
            }
            assert_eq!(outcome.text.is_empty(), expected != TimeoutPhase::NextToken);
        }
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
    let outcome = with_timeouts(Wire::OpenAi, reply, limits).await;
    assert_eq!(
        (outcome.text.as_str(), outcome.error.is_none()),
        ("Hi", true),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_piece_that_is_no_json_is_malformed_and_the_text_before_it_is_kept() {
    for wire in Wire::BOTH {
        let event = match wire {
            Wire::Gemini => gemini::parts(&json!([{"text": "Hi"}])),
            Wire::OpenAi => openai::delta(&json!({"content": "Hi"})),
        };
        for rubbish in [
            "data: {\"choices\": nonsense}",
            "data: \u{7}",
            "data: [1, 2",
        ] {
            let outcome = ask(wire, Reply::sse(format!("data: {event}\n\n{rubbish}\n\n"))).await;
            let error = outcome.error.unwrap();
            assert_eq!(outcome.text, "Hi");
            assert!(
                matches!(
                    error,
                    LlmError::Malformed { .. } | LlmError::Truncated { .. }
                ),
                "{error:?}"
            );
        }
        let mut bytes = format!("data: {event}\n\ndata: ").into_bytes();
        bytes.extend_from_slice(b"\"\xff\xfe\"\n\n");
        let error = ask(wire, Reply::sse(bytes)).await.error.unwrap();
        assert!(matches!(error, LlmError::Malformed { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_long_line_is_read_and_one_without_end_is_refused() {
    for wire in Wire::BOTH {
        let reply = |text: &str| match wire {
            Wire::Gemini => gemini::text([text]),
            Wire::OpenAi => openai::text([text]),
        };
        let long = "x".repeat(10 * 1024 * 1024);
        assert_eq!(ask(wire, reply(&long)).await.text.len(), long.len());
        let endless = "x".repeat(17 * 1024 * 1024);
        let error = error(wire, reply(&endless)).await;
        assert!(matches!(error, LlmError::Malformed { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_long_refusal_is_cut_and_a_key_in_it_is_taken_out() {
    for wire in Wire::BOTH {
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
    for wire in Wire::BOTH {
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
    for wire in Wire::BOTH {
        let error = error(wire, page.clone().content_type("text/html; charset=utf-8")).await;
        assert!(error.to_string().contains("web page"), "{error}");
    }
}

#[tokio::test]
async fn a_model_can_be_asked_again_after_an_error() {
    for wire in Wire::BOTH {
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
