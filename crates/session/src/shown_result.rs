//! What a model is shown of the result of a tool: all of it, or its beginning where it is long. The
//! log has the whole.

use serde_json::Value;

/// At most so many bytes of a result, as JSON.
const MAX_SHOWN_BYTES: usize = 64 * 1024;

/// The result, or a text with the beginning of its JSON and the word that it was cut.
pub(crate) fn shown_to_model(result: &Value) -> Value {
    // These are short in any case.
    if let Value::Null | Value::Bool(_) | Value::Number(_) = result {
        return result.clone();
    }
    let json = result.to_string();
    if json.len() <= MAX_SHOWN_BYTES {
        return result.clone();
    }
    let end = json.floor_char_boundary(MAX_SHOWN_BYTES);
    let shown = json.get(..end).unwrap_or_default();
    let bytes = json.len();
    Value::String(format!(
        "{shown}\n[cut: these are the first {end} of {bytes} bytes]"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_of_64_kib_is_shown_whole_and_a_longer_one_is_cut_and_says_so() {
        let fits = json!("x".repeat(MAX_SHOWN_BYTES - 2));
        assert_eq!(shown_to_model(&fits), fits);
        let long = json!({"a": "ä".repeat(MAX_SHOWN_BYTES)});
        let shown = shown_to_model(&long);
        let shown = shown.as_str().unwrap();
        assert!(shown.starts_with("{\"a\":\"ää"));
        let end = "[cut: these are the first 65536 of 131080 bytes]";
        assert!(shown.ends_with(end));
    }
}
