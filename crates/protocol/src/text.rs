//! U+0000 in what a model or a tool says: Postgres can hold it neither in text nor in JSON,
//! so it is replaced before anything is sent or stored, and both stay the same.

use serde_json::Value;

/// Replaces each U+0000 by U+FFFD. Costs a scan and no allocation where there is none.
#[must_use]
pub fn clean_text(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{FFFD}")
    } else {
        text
    }
}

/// Replaces each U+0000 by U+FFFD in every text and every key of a JSON value.
#[must_use]
pub fn clean_json(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean_text(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(clean_json).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| (clean_text(key), clean_json(value)))
                .collect(),
        ),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nul_is_replaced_everywhere_and_nothing_else_is() {
        let value = json!({"a\0": ["b\0", {"c": "\0"}], "n": 1, "ok": "é"});
        assert_eq!(
            clean_json(value),
            json!({"a\u{FFFD}": ["b\u{FFFD}", {"c": "\u{FFFD}"}], "n": 1, "ok": "é"})
        );
    }
}
