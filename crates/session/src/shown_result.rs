//! What a model is shown of the result of a tool: all of it, or its beginning where it is long, and of
//! pictures and sounds, which as text say nothing to it, what they are. The log has the whole.

use serde_json::Value;

/// At most so many bytes of a result, as JSON.
const MAX_SHOWN_BYTES: usize = 64 * 1024;

/// The result, or a text with the beginning of its JSON and the word that it was cut.
pub(crate) fn shown_to_model(result: &Value) -> Value {
    // These are short in any case.
    if let Value::Null | Value::Bool(_) | Value::Number(_) = result {
        return result.clone();
    }
    let mut result = result.clone();
    leave_out_data(&mut result);
    let json = result.to_string();
    if json.len() <= MAX_SHOWN_BYTES {
        return result;
    }
    let end = json.floor_char_boundary(MAX_SHOWN_BYTES);
    let shown = json.get(..end).unwrap_or_default();
    let bytes = json.len();
    Value::String(format!(
        "{shown}\n[cut: these are the first {end} of {bytes} bytes]"
    ))
}

/// Takes the data out of blocks of content as the Model Context Protocol has them (2025-06-18, "Tool
/// Result").
fn leave_out_data(result: &mut Value) {
    let content = result.get_mut("content").and_then(Value::as_array_mut);
    for block in content.into_iter().flatten() {
        let kind = block.get("type").and_then(Value::as_str);
        let is_media = matches!(kind, Some("image" | "audio"));
        if is_media && let Some(Value::String(data)) = block.get_mut("data") {
            *data = format!("[{} characters of base64, not shown]", data.len());
        }
    }
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

    #[test]
    fn of_a_picture_it_is_shown_what_it_is() {
        let picture = json!({ "content": [
            { "type": "text", "text": "a dot", "data": "kept" },
            { "type": "image", "mimeType": "image/png", "data": "iVBORw0KGgo=" },
        ] });
        let expected = json!({ "content": [
            { "type": "text", "text": "a dot", "data": "kept" },
            { "type": "image", "mimeType": "image/png", "data": "[12 characters of base64, not shown]" },
        ] });
        assert_eq!(shown_to_model(&picture), expected);
    }
}
