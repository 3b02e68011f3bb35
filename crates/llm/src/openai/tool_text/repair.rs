//! Arguments that a model wrote as almost JSON, where only one thing can have been meant: a fence of
//! Markdown around them, a text that holds them, line ends within a text, a comma before a bracket that
//! closes. What could mean two things stays broken: quotes and brackets that are missing, single quotes,
//! names without quotes, and whatever stands behind the end.

use serde_json::{Map, Value};

/// The arguments that can only have been meant, or `None`.
pub(super) fn repair(text: &str) -> Option<Map<String, Value>> {
    let text = mended(without_fence(text.trim()))?;
    match serde_json::from_str(&text).ok()? {
        Value::Object(arguments) => Some(arguments),
        // Written as JSON twice.
        Value::String(inner) => serde_json::from_str(&inner).ok(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

fn without_fence(text: &str) -> &str {
    let inner = text
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"));
    let Some(inner) = inner else {
        return text;
    };
    inner.strip_prefix("json").unwrap_or(inner).trim()
}

/// Escapes control characters within texts, and leaves out commas before a bracket that closes. `None` for
/// a control character behind a backslash, which may go with it or not.
fn mended(text: &str) -> Option<String> {
    let mut mended = String::with_capacity(text.len());
    let mut in_text = false;
    let mut is_escaped = false;
    for (place, character) in text.char_indices() {
        if in_text {
            if character.is_ascii_control() {
                if is_escaped {
                    return None;
                }
                mended.push_str(&format!("\\u{:04x}", u32::from(character)));
            } else {
                mended.push(character);
            }
            in_text = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
        } else {
            let rest = text.get(place + 1..).unwrap_or_default();
            let closes = rest.trim_start().starts_with(['}', ']']);
            if character != ',' || !closes {
                mended.push(character);
            }
            in_text = character == '"';
        }
    }
    Some(mended)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_can_only_mean_one_thing_is_repaired() {
        for (text, meant) in [
            ("```json\n{\"a\": 1}\n```", json!({ "a": 1 })),
            ("```\n{}\n```", json!({})),
            ("\"{\\\"a\\\": \\\"b\\\"}\"", json!({ "a": "b" })),
            (
                "{\"a\": \"one\ntwo\tthree\"}",
                json!({ "a": "one\ntwo\tthree" }),
            ),
            (
                "{\"a\": [1, 2, ], \"b\": {\"c\": 1,\n},}",
                json!({ "a": [1, 2], "b": { "c": 1 } }),
            ),
            // Within a text, nothing is left out.
            ("{\"a\": \",}\\\",]\",}", json!({ "a": ",}\",]" })),
        ] {
            assert_eq!(repair(text).map(Value::Object), Some(meant), "{text}");
        }
    }

    #[test]
    fn what_could_mean_two_things_stays_broken() {
        for text in [
            "{\"a\": 1",
            "{\"a\": \"b}",
            "{'a': 1}",
            "{a: 1}",
            "{\"a\": 1} {\"a\": 2}",
            "{\"a\": 1}, and so on",
            "{\"a\" 1}",
            "{\"a\": 1,, \"b\": 2}",
            "{\"a\": \"ls \\\n -l\"}",
            "[1]",
            "\"[1]\"",
            "\"text\"",
            "true",
            "```json\n{\"a\": 1}",
            "",
        ] {
            assert_eq!(repair(text), None, "{text}");
        }
    }
}
