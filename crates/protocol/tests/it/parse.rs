//! What a frame from a stranger becomes; `fuzz.rs` beside this sends any others.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "shared by the tests; one that cannot go on fails"
)]

use patter_protocol::{
    ClientMessage, ErrorCode, MAX_CONTENT_BYTES, MAX_FRAME_BYTES, MAX_METADATA_BYTES, ParseError,
    UserInput,
};
use proptest::prelude::*;
use serde_json::json;

fn refused(frame: &str) -> ParseError {
    ClientMessage::parse(frame).expect_err(frame)
}

fn refused_field(frame: &serde_json::Value) -> &'static str {
    let error = refused(&frame.to_string());
    assert_eq!(error.code(), ErrorCode::InvalidField, "{error}");
    error.field().unwrap()
}

fn content_of(frame: &str) -> String {
    match ClientMessage::parse(frame) {
        Ok(ClientMessage::UserMessage(input)) => input.content,
        other => panic!("{frame}: {other:?}"),
    }
}

/// Inputs 68 to 70, 72, 75 and 78.
#[test]
fn what_is_not_one_json_object_is_invalid_json() {
    let deep_is_fine = format!(
        r#"{{"type":"end","x":{}1{}}}"#,
        "[".repeat(31),
        "]".repeat(31)
    );
    assert_eq!(ClientMessage::parse(&deep_is_fine), Ok(ClientMessage::End));
    let too_deep = format!(
        r#"{{"type":"end","x":{}1{}}}"#,
        "[".repeat(32),
        "]".repeat(32)
    );
    for frame in [
        "",
        " ",
        "null",
        "[]",
        "1",
        "\"x\"",
        "{",
        "{} {}",
        "\u{feff}{\"type\":\"end\"}",
        "{'type':'end'}",
        "{\"type\":\"end\",}",
        "{\"type\":\"end\"}//",
        "{\"type\":\"end\",\"x\":NaN}",
        "{\"type\":\"end\",\"x\":1e400}",
        "{\"type\":\"end\",\"x\":\"\\ud800\"}",
        "{\"type\":\"ping\",\"type\":\"end\"}",
        "{\"type\":\"end\",\"x\":{\"a\":1,\"a\":2}}",
        &too_deep,
        &"[".repeat(100_000),
    ] {
        let error = refused(frame);
        assert_eq!(error.code(), ErrorCode::InvalidJson, "{frame:.40}: {error}");
    }
}

/// Input 79.
#[test]
fn a_type_that_no_client_may_send_is_unknown() {
    for message_type in ["ai_response", "session_ended", "token", "User_Message", "x"] {
        let error = refused(&json!({ "type": message_type }).to_string());
        assert_eq!(error.code(), ErrorCode::UnknownType);
    }
    let long = refused(&json!({ "type": "x".repeat(5_000) }).to_string());
    assert!(long.to_string().len() < 100, "{long}");
}

#[test]
fn a_refused_frame_is_not_told_back_at_length() {
    let key = "x".repeat(100_000);
    let twice = refused(&format!(r#"{{"type":"end","{key}":1,"{key}":2}}"#));
    assert_eq!(twice.code(), ErrorCode::InvalidJson);
    assert!(twice.to_string().len() < 200);
}

/// Inputs 71, 73 and 77.
#[test]
fn each_bad_field_is_named() {
    let message = |extra: serde_json::Value| {
        let mut frame = json!({"type": "user_message", "content": "hi"});
        frame
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        frame
    };
    assert_eq!(refused_field(&json!({})), "type");
    assert_eq!(refused_field(&json!({"type": 1})), "type");
    assert_eq!(refused_field(&json!({"type": "user_message"})), "content");
    assert_eq!(refused_field(&message(json!({"content": 1}))), "content");
    assert_eq!(
        refused_field(&message(json!({"content": " \u{3000}\n"}))),
        "content"
    );
    assert_eq!(
        refused_field(&message(json!({"content": "a\u{0}b"}))),
        "content"
    );
    assert_eq!(refused_field(&message(json!({"id": ""}))), "id");
    assert_eq!(refused_field(&message(json!({"id": "x".repeat(65)}))), "id");
    assert_eq!(refused_field(&message(json!({"id": 7}))), "id");
    assert_eq!(refused_field(&message(json!({"metadata": []}))), "metadata");
    assert_eq!(
        refused_field(&message(json!({"metadata": {"a": ["\u{0}"]}}))),
        "metadata"
    );
    assert_eq!(
        refused_field(&message(json!({"interrupt": "yes"}))),
        "interrupt"
    );
    assert_eq!(refused_field(&message(json!({"replaces": 1}))), "replaces");
    assert_eq!(
        refused_field(&json!({"type": "cancel", "response_id": "x"})),
        "response_id"
    );
    assert_eq!(
        refused_field(&json!({"type": "tool_approval", "approve": true})),
        "call_id"
    );
    assert_eq!(
        refused_field(&json!({"type": "ping", "nonce": "x".repeat(65)})),
        "nonce"
    );
    assert_eq!(
        refused_field(&json!({"type": "auth_refresh", "token": ""})),
        "token"
    );
}

#[test]
fn a_refused_message_is_named_if_it_has_a_name() {
    let frame = r#"{"type":"user_message","content":"","id":"m-1"}"#;
    assert_eq!(refused(frame).message_id().unwrap().as_str(), "m-1");
    assert_eq!(
        refused(r#"{"type":"user_message","content":""}"#).message_id(),
        None
    );
}

#[test]
fn content_is_trimmed_and_otherwise_kept() {
    let content = content_of(r#"{"type":"user_message","content":" \u200b a\\u0000 \n"}"#);
    assert_eq!(content, "\u{200b} a\\u0000");
}

/// Input 74.
#[test]
fn content_is_measured_in_bytes_whatever_its_alphabet_or_escapes() {
    for (unit, escaped) in [
        ("x", "x"),
        ("\u{1}", "\\u0001"),
        ("Я", "\\u042f"),
        ("😀", "\\ud83d\\ude00"),
    ] {
        let longest = MAX_CONTENT_BYTES / unit.len();
        let frame = |n: usize| {
            format!(
                r#"{{"type":"user_message","content":"{}"}}"#,
                escaped.repeat(n)
            )
        };
        assert!(frame(longest).len() <= MAX_FRAME_BYTES);
        assert_eq!(content_of(&frame(longest)), unit.repeat(longest));
        assert_eq!(refused(&frame(longest + 1)).field(), Some("content"));
    }
}

/// Input 75.
#[test]
fn a_number_in_metadata_is_kept_or_the_frame_is_no_json() {
    let metadata_with = |number: &str| -> Result<String, ParseError> {
        let frame =
            format!(r#"{{"type":"user_message","content":"hi","metadata":{{"n":{number}}}}}"#);
        let message = ClientMessage::parse(&frame)?;
        assert_eq!(
            ClientMessage::parse(&message.to_json()).as_ref(),
            Ok(&message)
        );
        match message {
            ClientMessage::UserMessage(input) => Ok(input.metadata["n"].to_string()),
            other => panic!("{other:?}"),
        }
    };
    for (number, kept) in [
        ("-0", "-0.0"),
        ("-0.0", "-0.0"),
        ("1E-999", "0.0"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("12345678901234567890", "12345678901234567890"),
        ("123456789012345678901", "1.2345678901234568e+20"),
        ("0.1", "0.1"),
    ] {
        assert_eq!(metadata_with(number), Ok(kept.to_owned()), "{number}");
    }
    for number in [
        "1e400", "-1e400", "NaN", "Infinity", "-", "01", "+1", ".5", "1.", "0x10",
    ] {
        let error = metadata_with(number).expect_err(number);
        assert_eq!(error.code(), ErrorCode::InvalidJson, "{number}: {error}");
    }
}

/// Input 76.
#[test]
fn metadata_is_measured_as_json() {
    let frame = |n: usize| json!({"type": "user_message", "content": "hi", "metadata": {"k": "x".repeat(n)}});
    let overhead = r#"{"k":""}"#.len();
    assert!(ClientMessage::parse(&frame(MAX_METADATA_BYTES - overhead).to_string()).is_ok());
    assert_eq!(
        refused_field(&frame(MAX_METADATA_BYTES - overhead + 1)),
        "metadata"
    );
}

#[test]
fn older_clients_are_understood() {
    assert_eq!(
        content_of(r#"{"type":"user_message","message":"hi"}"#),
        "hi"
    );
    assert_eq!(
        ClientMessage::parse(r#"{"type":"end_session"}"#),
        Ok(ClientMessage::End)
    );
}

/// Input 79.
#[test]
fn unknown_fields_and_nulls_are_as_if_left_out() {
    let frame = r#"{"type":"user_message","content":"hi","id":null,"role":"system","seq":9}"#;
    assert_eq!(
        ClientMessage::parse(frame),
        Ok(ClientMessage::UserMessage(UserInput::text("hi")))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_content_arrives_as_it_was_meant(content in "[^\0]{1,200}") {
        let trimmed = content.trim();
        prop_assume!(!trimmed.is_empty());
        let frame = json!({"type": "user_message", "content": content}).to_string();
        prop_assert_eq!(content_of(&frame), trimmed);
    }
}
