//! Arguments of tools whose schema is data.

use std::time::Duration;

use patter_tools::{
    RegistryError, Tool, ToolContext, ToolError, ToolErrorKind, ToolRegistry, ToolSpec,
};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

fn context() -> ToolContext {
    ToolContext::new(
        "session",
        "call",
        Instant::now() + Duration::from_secs(3600),
    )
}

/// A tool whose schema is data, as that of a plug-in.
struct Described(ToolSpec);

#[async_trait::async_trait]
impl Tool for Described {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(
        &self,
        arguments: Map<String, Value>,
        _: ToolContext,
    ) -> Result<Value, ToolError> {
        Ok(Value::Object(arguments))
    }
}

fn described(parameters: Value) -> Described {
    Described(ToolSpec {
        name: "described".to_owned(),
        description: String::new(),
        parameters,
    })
}

/// Input 96.
#[tokio::test]
async fn arguments_are_held_against_a_schema_that_is_data() {
    let schema = json!({
        "type": "object",
        "properties": {
            "city": { "type": "string", "minLength": 2, "pattern": "^[A-Z]" },
            "days": { "type": "array", "items": { "type": "integer", "maximum": 7 } },
        },
        "required": ["city"],
        "additionalProperties": false,
    });
    let tools = ToolRegistry::new().with(described(schema)).unwrap();
    let fine = json!({ "city": "Oslo", "days": [1, 7] });
    let call = |arguments: &Value| {
        let arguments = arguments.as_object().unwrap().clone();
        tools.call("described", arguments, context())
    };
    assert_eq!(call(&fine).await, Ok(fine.clone()));
    for (arguments, fault) in [
        (json!({}), "\"city\" is a required property"),
        (json!({ "city": "oslo" }), "`/city`: "),
        (
            json!({ "city": "Oslo", "days": [1, 8] }),
            "`/days/1`: 8 is greater than",
        ),
        (json!({ "city": "Oslo", "day": 1 }), "'day' was unexpected"),
    ] {
        let error = call(&arguments).await.unwrap_err();
        assert_eq!(error.kind(), ToolErrorKind::InvalidArguments);
        assert!(error.to_string().contains(fault), "{error}");
    }
}

#[tokio::test]
async fn a_pattern_that_takes_exponential_time_does_not() {
    let schema = json!({
        "type": "object",
        "properties": { "text": { "type": "string", "pattern": "^(?=a)(a+)+$" } },
    });
    let tools = ToolRegistry::new().with(described(schema)).unwrap();
    let text = format!("{}!", "a".repeat(60));
    let arguments = Map::from_iter([("text".to_owned(), json!(text))]);
    let error = tools
        .call("described", arguments, context())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ToolErrorKind::InvalidArguments);
}

#[tokio::test]
async fn a_schema_that_would_take_for_ever_is_left_to_the_tool() {
    let mut defs = Map::new();
    for n in 0..40 {
        let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
        defs.insert(format!("d{n}"), json!({ "anyOf": [next, next] }));
    }
    defs.insert("d40".to_owned(), json!({ "type": "string" }));
    let doubling = json!({
        "type": "object",
        "properties": { "a": { "$ref": "#/$defs/d0" } },
        "$defs": defs,
    });
    let endless = json!({ "type": "object", "properties": { "a": { "$ref": "#" } } });
    for schema in [doubling, endless] {
        let tools = ToolRegistry::new().with(described(schema)).unwrap();
        let arguments = Map::from_iter([("a".to_owned(), json!(1))]);
        let called = tools.call("described", arguments, context()).await;
        assert_eq!(called, Ok(json!({ "a": 1 })));
    }
}

#[test]
fn a_schema_that_cannot_be_used_is_refused() {
    for schema in [
        json!({ "type": "object", "properties": { "a": { "type": "nonsense" } } }),
        json!({ "type": "object", "properties": { "a": { "$ref": "https://example.org/a.json" } } }),
        json!({ "type": "object", "properties": { "a": { "pattern": "(" } } }),
    ] {
        let refusal = ToolRegistry::new().with(described(schema.clone()));
        let refusal = refusal.unwrap_err();
        let RegistryError::InvalidSchema { name, .. } = refusal else {
            panic!("{schema}: {refusal}")
        };
        assert_eq!(name, "described");
    }
}
