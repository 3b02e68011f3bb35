//! The protocol over a WebSocket: refused frames, attaching and coming back, several readers,
//! the drain.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use patter_testkit::model_server::{ModelServer, Release, openai};
use patter_testkit::ws_client::WsClient;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{PATIENCE, TestServer};

/// The durable events among these, as `(seq, type)`.
fn log_of(events: &[Value]) -> Vec<(u64, String)> {
    let durable = events
        .iter()
        .filter_map(|event| Some((event["seq"].as_u64()?, event)));
    durable
        .map(|(seq, event)| (seq, event["type"].as_str().unwrap().to_owned()))
        .collect()
}

/// The texts of the tokens among these, joined.
fn text_of(events: &[Value]) -> String {
    let tokens = events.iter().filter(|event| event["type"] == "token");
    tokens
        .map(|token| token["content"].as_str().unwrap())
        .collect()
}

async fn ping(client: &mut WsClient) -> Value {
    client.send(json!({"type": "ping", "nonce": "n"})).await;
    client.expect("pong").await
}

#[tokio::test]
async fn every_refused_frame_is_answered_by_one_error_and_the_connection_stays() {
    let server = TestServer::demo().await;
    let mut client = server.connect("refused").await;
    client.expect("session_started").await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: Vec<(String, &str, Option<&str>)> = vec![
        (String::new(), "invalid_json", None),
        ("null".into(), "invalid_json", None),
        ("[]".into(), "invalid_json", None),
        ("1".into(), "invalid_json", None),
        ("{} {}".into(), "invalid_json", None),
        (deep, "invalid_json", None),
        (
            r#"{"type":"ping","type":"end"}"#.into(),
            "invalid_json",
            None,
        ),
        (
            r#"{"type":"user_message","content":"\ud800"}"#.into(),
            "invalid_json",
            None,
        ),
        ("{}".into(), "invalid_field", Some("type")),
        (r#"{"type":7}"#.into(), "invalid_field", Some("type")),
        (
            r#"{"type":"ai_response","content":"x"}"#.into(),
            "unknown_type",
            None,
        ),
        (
            r#"{"type":"user_message"}"#.into(),
            "invalid_field",
            Some("content"),
        ),
        (
            r#"{"type":"user_message","content":"\u0000"}"#.into(),
            "invalid_field",
            Some("content"),
        ),
        (
            format!(
                r#"{{"type":"user_message","content":"{}"}}"#,
                "x".repeat(32_769)
            ),
            "invalid_field",
            Some("content"),
        ),
        (
            r#"{"type":"user_message","content":"x","id":""}"#.into(),
            "invalid_field",
            Some("id"),
        ),
        (r#"{"type":"cancel"}"#.into(), "nothing_to_cancel", None),
        (
            r#"{"type":"regenerate"}"#.into(),
            "nothing_to_regenerate",
            None,
        ),
    ];
    for (frame, code, field) in cases {
        client.send_raw(Message::text(frame.clone())).await;
        let error = client.next().await;
        let shown: String = frame.chars().take(60).collect();
        assert_eq!(error["type"], "error", "{shown}");
        assert_eq!(error["code"], code, "{shown}");
        assert_eq!(error["details"]["field"].as_str(), field, "{shown}");
        assert_eq!(ping(&mut client).await["nonce"], "n", "{shown}");
    }
    client.close().await;
    server.stop().await;
}

/// Input 81.
#[tokio::test]
async fn twenty_refused_frames_in_a_row_close_the_connection() {
    let server = TestServer::demo().await;
    let mut client = server.connect("nonsense").await;
    for _ in 0..2 {
        for _ in 0..19 {
            client.send_raw(Message::text("nonsense")).await;
        }
        ping(&mut client).await;
    }
    // What is wrong with a good frame does not count: there is nothing to cancel.
    for _ in 0..25 {
        client.send(json!({"type": "cancel"})).await;
        client.expect("error").await;
    }
    for _ in 0..20 {
        client.send_raw(Message::text("nonsense")).await;
    }
    let (events, code) = client.until_closed().await;
    assert_eq!(code, Some(1008));
    assert_eq!(
        events
            .iter()
            .filter(|event| event["code"] == "invalid_json")
            .count(),
        20
    );
    server.stop().await;
}

#[tokio::test]
async fn a_frame_may_have_262144_bytes() {
    let server = TestServer::demo().await;
    let mut client = server.connect("large").await;
    let mut frame = r#"{"type":"ping","nonce":"n","unknown":""#.to_owned();
    frame.push_str(&"x".repeat(262_144 - frame.len() - 2));
    frame.push_str("\"}");
    client.send_raw(Message::text(frame.clone())).await;
    assert_eq!(client.expect("pong").await["nonce"], "n");
    client.send_raw(Message::text(frame + " ")).await;
    assert_eq!(client.until_closed().await.1, Some(1009));
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_turn_reaches_every_reader_in_the_same_order() {
    let model = ModelServer::start([openai::text(["Hel", "lo."])]).await;
    let server = TestServer::with_model(&model).await;
    let mut first = server.connect("shared").await;
    assert_eq!(first.next().await["type"], "session_ready");
    let mut second = server.connect("shared").await;
    assert_eq!(second.next().await["type"], "session_ready");
    second.expect("session_started").await;
    first.expect("session_started").await;

    first.say("m1", "Say hello.").await;
    let seen_by_first = first.until("ai_response").await;
    let seen_by_second = second.until("ai_response").await;
    assert_eq!(seen_by_first, seen_by_second);
    assert_eq!(text_of(&seen_by_first), "Hello.");
    let log = log_of(&seen_by_first);
    assert_eq!(
        log,
        [
            (2, "user_message".to_owned()),
            (3, "ai_response".to_owned())
        ]
    );
    first.close().await;
    second.close().await;
    server.stop().await;
}

/// Input 44.
#[tokio::test]
async fn a_reader_that_comes_back_gets_what_it_missed_and_nothing_twice() {
    let model = ModelServer::start([
        openai::text(["One."]),
        openai::text(["Two."]),
        openai::text(["s"]),
    ])
    .await;
    let server = TestServer::with_model(&model).await;
    let mut client = server.connect("resumed").await;
    let ready = client.next().await;
    let epoch = ready["epoch"].as_str().unwrap().to_owned();
    client.say("m1", "First?").await;
    client.until("ai_response").await;
    client.say("m2", "Second?").await;
    client.until("ai_response").await;

    for (query, reset, first) in [
        (String::new(), false, 1),
        ("?after=0".to_owned(), false, 1),
        (format!("?after=3&epoch={epoch}"), false, 4),
        (format!("?after=4&epoch={epoch}"), false, 5),
        // A log that is not this one, and a place that this one does not have.
        (
            "?after=3&epoch=00000000-0000-7000-8000-000000000000".to_owned(),
            true,
            1,
        ),
        (format!("?after=99&epoch={epoch}"), true, 1),
    ] {
        let mut again = server.connect(&format!("resumed{query}")).await;
        let ready = again.next().await;
        assert_eq!(ready["reset"], reset, "{query}");
        assert_eq!(ready["last_seq"], 5, "{query}");
        let mut events = Vec::new();
        while log_of(&events).last().is_none_or(|(seq, _)| *seq < 5) {
            events.push(again.next().await);
        }
        let seqs: Vec<u64> = log_of(&events).into_iter().map(|(seq, _)| seq).collect();
        assert_eq!(seqs, (first..=5).collect::<Vec<u64>>(), "{query}");
        again.close().await;
    }
    client.close().await;
    server.stop().await;
}

#[tokio::test]
async fn who_comes_in_the_middle_of_an_answer_gets_a_snapshot_and_the_rest() {
    let release = Release::default();
    let answer = openai::text(["The first half, ", "and the second."]);
    let model = ModelServer::start([answer.stalled_at("and the second", &release)]).await;
    let server = TestServer::with_model(&model).await;
    let mut client = server.connect("middle").await;
    client.say("m1", "Talk.").await;
    client.until_all(&["user_message", "token"]).await;

    let mut late = server.connect("middle?after=1").await;
    let before = late.until("response_snapshot").await;
    assert_eq!(before.first().unwrap()["type"], "session_ready");
    assert_eq!(log_of(&before), [(2, "user_message".to_owned())]);
    let snapshot = before.last().unwrap();
    assert_eq!(snapshot["content"], "The first half, ");
    release.release();
    let rest = late.until("ai_response").await;
    assert_eq!(text_of(&rest), "and the second.");
    let first_token = rest.iter().find(|event| event["type"] == "token").unwrap();
    let next_index = snapshot["index"].as_u64().unwrap() + 1;
    assert_eq!(first_token["index"].as_u64(), Some(next_index));
    assert_eq!(
        rest.last().unwrap()["content"],
        "The first half, and the second."
    );
    late.close().await;
    client.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_message_sent_again_is_told_to_its_sender_alone_and_answered_once() {
    let model = ModelServer::start([openai::text(["Yes."])]).await;
    let server = TestServer::with_model(&model).await;
    let mut sender = server.connect("again").await;
    sender.say("m1", "Really?").await;
    let first = sender.expect("user_message").await;
    sender.expect("ai_response").await;
    let mut other = server.connect("again?after=3").await;
    other.expect("session_ready").await;

    sender.say("m1", "Something else").await;
    assert_eq!(sender.next().await, first);
    ping(&mut sender).await;
    // Had the other one been told, it would come before this.
    other.send(json!({"type": "ping"})).await;
    let seen = other.until("pong").await;
    assert!(log_of(&seen).is_empty(), "{seen:?}");
    assert_eq!(model.requests().len(), 1);
    sender.close().await;
    other.close().await;
    server.stop().await;
}

#[tokio::test]
async fn end_tells_the_outcome_and_closes() {
    let server = TestServer::demo().await;
    let mut client = server.connect("ended").await;
    client.say("m1", "What is 6 * 7?").await;
    client.expect("ai_response").await;
    client.send(json!({"type": "end"})).await;
    let (events, code) = client.until_closed().await;
    let ended = events.last().unwrap();
    assert_eq!(ended["type"], "session_ended");
    assert_eq!(ended["reason"], "client");
    assert_eq!(ended["metrics"]["user_messages"], 1);
    assert!(ended["summary"].is_string());
    assert_eq!(code, Some(1000));

    // The same id goes on where it ended.
    let mut again = server.connect("ended").await;
    assert_eq!(again.next().await["reopened"], true);
    again.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_drain_does_not_wait_for_ever() {
    let never = Release::default();
    let answer = openai::text(["Half ", "done."]).stalled_at("done.", &never);
    let model = ModelServer::start([answer]).await;
    let base_url = format!("{}/v1", model.base_url());
    let server = TestServer::start(&[
        ("llm.provider", "openai"),
        ("openai.base_url", &base_url),
        ("server.drain_timeout", "1"),
    ])
    .await;
    let mut client = server.connect("interrupted").await;
    client.say("m1", "Talk.").await;
    client.expect("token").await;
    server.begin_shutdown();
    let (events, code) = client.until_closed().await;
    let answer = events
        .iter()
        .find(|event| event["type"] == "ai_response")
        .unwrap();
    assert_eq!(answer["content"], "Half ");
    assert_eq!(answer["finish_reason"], "interrupted");
    assert_eq!(code, Some(1012));
    server.stop().await;
}

#[tokio::test]
async fn a_drain_lets_an_answer_finish_and_sends_everybody_away() {
    let release = Release::default();
    let answer = openai::text(["Half ", "done."]).stalled_at("done.", &release);
    let model = ModelServer::start([answer, openai::text(["Summary."])]).await;
    let server = TestServer::with_model(&model).await;
    let mut client = server.connect("drained").await;
    client.say("m1", "Talk.").await;
    client.until_all(&["user_message", "token"]).await;

    server.begin_shutdown();
    let notice = client.expect("notice").await;
    assert_eq!(notice["code"], "draining");
    release.release();
    let (events, code) = client.until_closed().await;
    let answer = events
        .iter()
        .find(|event| event["type"] == "ai_response")
        .unwrap();
    assert_eq!(answer["content"], "Half done.");
    assert_eq!(answer["finish_reason"], "stop");
    assert_eq!(code, Some(1012));
    timeout(PATIENCE, server.stop()).await.unwrap();
}
