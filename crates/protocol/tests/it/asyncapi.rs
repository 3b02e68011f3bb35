//! The document for clients in other languages: it is complete, its examples are messages, and the
//! committed copy is what the types say. `UPDATE_GENERATED=1` writes it anew.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use std::path::Path;

use patter_protocol::{ClientMessage, CloseCode, ServerMessage, asyncapi};
use serde_json::Value;

use crate::support;

#[test]
fn the_committed_document_is_what_the_types_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/asyncapi.json");
    let generated = format!("{}\n", serde_json::to_string_pretty(&asyncapi()).unwrap());
    if std::env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1") {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/asyncapi.json is out of date: run `cargo xtask codegen`"
    );
}

/// The example of each message of one side, by its type.
fn examples(side: &str) -> Vec<(String, Value)> {
    let document = asyncapi();
    let messages = document["components"]["messages"].as_object().unwrap();
    let of_side = messages
        .iter()
        .filter_map(|(name, message)| Some((name.strip_prefix(side)?.strip_prefix('.')?, message)));
    of_side
        .map(|(name, message)| {
            assert_eq!(message["name"], name);
            (name.to_owned(), message["examples"][0]["payload"].clone())
        })
        .collect()
}

fn types_of(messages: &[String]) -> Vec<String> {
    let mut types: Vec<_> = messages
        .iter()
        .map(|json| serde_json::from_str::<Value>(json).unwrap())
        .map(|message| message["type"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    types.dedup();
    types
}

#[test]
fn every_message_is_in_the_document() {
    let names = |side| -> Vec<_> { examples(side).into_iter().map(|(name, _)| name).collect() };
    let client = support::client_messages();
    let client: Vec<_> = client.iter().map(ClientMessage::to_json).collect();
    assert_eq!(names("client"), types_of(&client));
    let server = support::server_messages();
    let server: Vec<_> = server.iter().map(ServerMessage::to_json).collect();
    assert_eq!(names("server"), types_of(&server));
}

#[test]
fn every_example_is_a_message_of_its_type_with_no_field_too_many() {
    for (name, example) in examples("client") {
        let message = ClientMessage::parse(&example.to_string()).expect(&name);
        let same: Value = serde_json::from_str(&message.to_json()).unwrap();
        assert_eq!(same, example);
        assert_eq!(example["type"], name);
    }
    for (name, example) in examples("server") {
        let message: ServerMessage = serde_json::from_value(example.clone()).expect(&name);
        let same: Value = serde_json::from_str(&message.to_json()).unwrap();
        assert_eq!(same, example);
        assert_eq!(example["type"], name);
    }
}

#[test]
fn every_field_of_an_example_is_in_the_schema_of_its_message() {
    let document = asyncapi();
    let messages = document["components"]["messages"].as_object().unwrap();
    for (name, message) in messages {
        let example = message["examples"][0]["payload"].as_object().unwrap();
        for field in example.keys() {
            let schema = &message["payload"]["properties"][field];
            assert!(schema.is_object(), "{name}: {field}");
        }
        for field in message["payload"]["required"].as_array().unwrap() {
            let field = field.as_str().unwrap();
            assert!(example.contains_key(field), "{name}: {field}");
        }
    }
}

#[test]
fn every_close_code_is_described() {
    let document = asyncapi();
    let codes = document["channels"]["session"]["x-close-codes"]
        .as_array()
        .unwrap();
    assert_eq!(codes.len(), CloseCode::ALL.len());
    for code in codes {
        assert!(code["description"].is_string(), "{code}");
    }
    let schema = schemars::schema_for!(CloseCode).to_value();
    let variants = schema["oneOf"].as_array().unwrap().len();
    assert_eq!(variants, CloseCode::ALL.len(), "a code is missing in ALL");
}

#[test]
fn no_text_is_written_for_rust_alone() {
    let text = asyncapi().to_string();
    assert!(!text.contains("[`"), "{:?}", text.split("[`").nth(1));
    assert!(!text.contains("crate::"));
}
