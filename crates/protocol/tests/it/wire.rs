//! The JSON of every message, as it goes over the wire: a change here is a change of the contract.

use patter_protocol::{ClientMessage, ServerMessage};

use crate::support;

#[test]
fn every_server_message_has_this_json() {
    let messages: Vec<serde_json::Value> = support::server_messages()
        .iter()
        .map(|message| serde_json::from_str(&message.to_json()).unwrap())
        .collect();
    insta::assert_json_snapshot!(messages);
}

#[test]
fn every_client_message_has_this_json() {
    let messages: Vec<serde_json::Value> = support::client_messages()
        .iter()
        .map(|message| serde_json::from_str(&message.to_json()).unwrap())
        .collect();
    insta::assert_json_snapshot!(messages);
}

#[test]
fn the_json_schemas_are_these() {
    insta::assert_json_snapshot!("client_schema", schemars::schema_for!(ClientMessage));
    insta::assert_json_snapshot!("server_schema", schemars::schema_for!(ServerMessage));
}

#[test]
fn the_schema_demands_no_field_that_a_client_may_leave_out() {
    let schema = schemars::schema_for!(ClientMessage).to_value();
    assert_eq!(
        schema["$defs"]["UserInput"]["required"],
        serde_json::json!(["content"])
    );
}

#[test]
fn every_server_message_is_read_back_as_it_was() {
    for message in support::server_messages() {
        let json = message.to_json();
        let read: ServerMessage = serde_json::from_str(&json).expect(&json);
        assert_eq!(read, message, "{json}");
    }
}

#[test]
fn every_client_message_is_read_back_as_it_was() {
    for message in support::client_messages() {
        assert_eq!(ClientMessage::parse(&message.to_json()).unwrap(), message);
    }
}

#[test]
fn a_server_message_is_known_by_its_type_alone() {
    let mut types = Vec::new();
    for message in support::server_messages() {
        let value: serde_json::Value = serde_json::from_str(&message.to_json()).unwrap();
        types.push(value["type"].as_str().unwrap().to_owned());
        assert_eq!(
            value.get("seq").is_some(),
            matches!(message, ServerMessage::Durable(_))
        );
    }
    types.sort_unstable();
    types.dedup();
    assert_eq!(types.len(), 19, "{types:?}");
}
