//! A provider that refuses, hangs, cuts the answer off or sends rubbish: every stored message ends
//! in one error and one answer that says so, and the next message is answered as if nothing was.

use patter_testkit::model_server::{ModelServer, Release, Reply, openai};

use crate::support::TestServer;

/// What the provider does, its reply, the error that comes of it, and the text that is kept.
fn faults() -> Vec<(&'static str, Reply, &'static str, &'static str)> {
    let half = openai::text(["Half ", "an answer."]);
    let half_bytes = half.body_length() - openai::text(["an answer."]).body_length();
    let never = Release::default();
    let stalled = half.clone().stalled_at("an answer", &never);
    let refused = openai::refusal(401, "invalid_api_key", "no");
    let not_accepted = openai::refusal(400, "invalid_request_error", "no");
    let rubbish = Reply::sse("data: {rubbish\n\n");
    vec![
        ("refuses the key", refused, "provider_auth", ""),
        ("does not accept it", not_accepted, "provider_error", ""),
        ("says nothing", Reply::silence(), "provider_timeout", ""),
        ("stops in mid-answer", stalled, "provider_timeout", "Half "),
        (
            "hangs up",
            half.clone().broken_after(half_bytes),
            "provider_error",
            "Half ",
        ),
        (
            "forgets to finish",
            half.shortened_to(half_bytes),
            "provider_error",
            "Half ",
        ),
        ("sends rubbish", rubbish, "provider_error", ""),
        (
            "sends no stream",
            Reply::sse("<html>"),
            "provider_error",
            "",
        ),
    ]
}

#[tokio::test]
async fn a_turn_that_fails_ends_in_one_error_and_one_answer() {
    for (fault, reply, code, text) in faults() {
        let model = ModelServer::start([reply, openai::text(["Fine."])]).await;
        let base_url = format!("{}/v1", model.base_url());
        let server = TestServer::start(&[
            ("llm.provider", "openai"),
            ("openai.base_url", &base_url),
            // Another try would hide the fault.
            ("llm.retries", "0"),
            ("llm.headers_timeout", "0.5"),
            ("llm.first_token_timeout", "0.5"),
            ("llm.next_token_timeout", "0.5"),
        ])
        .await;
        let mut client = server.connect("faults").await;
        client.say("m1", "Hello?").await;
        let turn = client.until("ai_response").await;
        let errors: Vec<_> = turn
            .iter()
            .filter(|event| event["type"] == "error")
            .collect();
        assert_eq!(errors.len(), 1, "{fault}: {turn:?}");
        assert_eq!(errors[0]["code"], code, "{fault}: {turn:?}");
        let answer = turn.last().unwrap();
        assert_eq!(answer["finish_reason"], "error", "{fault}");
        assert_eq!(answer["content"], text, "{fault}");
        assert_eq!(answer["message_id"], "m1", "{fault}");

        client.say("m2", "And now?").await;
        assert_eq!(
            client.expect("ai_response").await["content"],
            "Fine.",
            "{fault}"
        );
        client.close().await;
        server.stop().await;
    }
}
