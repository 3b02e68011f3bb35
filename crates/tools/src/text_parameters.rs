//! Parameters that somebody names and describes, for tools that put them into a URL or a query.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{ToolError, arguments};

/// JSON Schema of parameters, by their names and descriptions. All are texts, and needed.
#[must_use]
pub fn schema(parameters: &BTreeMap<String, String>) -> Value {
    let property = |(name, description): (&String, &String)| {
        (
            name.clone(),
            json!({ "type": "string", "description": description }),
        )
    };
    let properties: Map<String, Value> = parameters.iter().map(property).collect();
    let required: Vec<_> = parameters.keys().collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Reads arguments that such a schema describes: a model may write a number where a text was asked for.
///
/// # Errors
///
/// [`ToolError::InvalidArguments`], naming the field that is unknown, missing, or no text.
pub fn read(
    arguments: &Map<String, Value>,
    schema: &Value,
) -> Result<BTreeMap<String, String>, ToolError> {
    arguments::refuse_unknown(arguments, schema)?;
    let known = schema.get("properties").and_then(Value::as_object);
    let names = known.into_iter().flat_map(|known| known.keys());
    let text = |name: &String| match arguments.get(name) {
        Some(Value::String(text)) => Ok((name.clone(), text.clone())),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok((name.clone(), value.to_string())),
        Some(_) => Err(ToolError::InvalidArguments(format!(
            "`{name}`: expected a text"
        ))),
        None => Err(ToolError::InvalidArguments(format!(
            "missing field `{name}`"
        ))),
    };
    names.map(text).collect()
}
