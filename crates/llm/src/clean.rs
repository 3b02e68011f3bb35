//! Text from a model made fit for storing: U+0000, which Postgres takes in no text, becomes U+FFFD.

use serde_json::{Map, Value};

const REPLACEMENT: &str = "\u{FFFD}";

/// The text without U+0000; untouched, and not copied, where there is none.
pub(crate) fn text(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', REPLACEMENT)
    } else {
        text
    }
}

/// The object with every text and every key in it cleaned.
pub(crate) fn object(object: Map<String, Value>) -> Map<String, Value> {
    object
        .into_iter()
        .map(|(key, entry)| (text(key), value(entry)))
        .collect()
}

/// The value with every text and every key in it cleaned.
pub(crate) fn value(value_in: Value) -> Value {
    match value_in {
        Value::String(string) => Value::String(text(string)),
        Value::Array(items) => Value::Array(items.into_iter().map(value).collect()),
        Value::Object(entries) => Value::Object(object(entries)),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_nul_is_replaced_in_texts_and_in_keys_at_any_depth() {
        let dirty = json!({"a\0": ["x\0y", {"b\0": "\0"}], "n": 1});
        let clean = json!({"a\u{FFFD}": ["x\u{FFFD}y", {"b\u{FFFD}": "\u{FFFD}"}], "n": 1});
        assert_eq!(value(dirty), clean);
    }
}
