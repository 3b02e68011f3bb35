//! What a server answers to a call, as the result of a tool.
//!
//! Structured content is the result, as it is; so is a single text. Several pieces of content, and those
//! that are no text, are `{"content": [...]}` with each piece as the protocol writes it, and beside it
//! `"structured"`, where that says something else.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

use crate::ToolError;

/// Of a picture or a sound with more characters in base64 only this is told. A result has 256 KiB at the
/// most.
const MAX_DATA_BYTES: usize = 128 * 1024;

pub(super) fn read(answer: CallToolResult) -> Result<Value, ToolError> {
    if answer.is_error == Some(true) {
        return Err(ToolError::Failed(error_text(&answer.content)));
    }
    let structured = answer.structured_content;
    let mut content = answer.content;
    match (structured, content.as_mut_slice()) {
        (Some(structured), content) if says_the_same(content, &structured) => Ok(structured),
        (None, []) => Ok(Value::Null),
        (None, [ContentBlock::Text(text)]) => Ok(Value::String(std::mem::take(&mut text.text))),
        (structured, content) => {
            let content: Result<Vec<_>, _> = content.iter().map(block).collect();
            let content = content?;
            Ok(match structured {
                Some(structured) => json!({ "content": content, "structured": structured }),
                None => json!({ "content": content }),
            })
        }
    }
}

/// Whether the content is no more than the structured content as a text, which the protocol asks servers to
/// send along for older clients.
fn says_the_same(content: &[ContentBlock], structured: &Value) -> bool {
    content.iter().all(|block| match block {
        ContentBlock::Text(text) => {
            serde_json::from_str::<Value>(&text.text).is_ok_and(|value| value == *structured)
        }
        _ => false,
    })
}

fn block(block: &ContentBlock) -> Result<Value, ToolError> {
    let (kind, data, mime_type) = match block {
        ContentBlock::Image(image) => ("image", &image.data, &image.mime_type),
        ContentBlock::Audio(audio) => ("audio", &audio.data, &audio.mime_type),
        // Texts, resources, links to them, and what the protocol will bring.
        _ => {
            return serde_json::to_value(block)
                .map_err(|error| ToolError::InvalidOutput(error.to_string()));
        }
    };
    Ok(if data.len() <= MAX_DATA_BYTES {
        json!({ "type": kind, "mimeType": mime_type, "data": data })
    } else {
        json!({ "type": kind, "mimeType": mime_type, "omitted": format!("{} characters of base64", data.len()) })
    })
}

fn error_text(content: &[ContentBlock]) -> String {
    let texts: Vec<_> = content
        .iter()
        .filter_map(|block| match block {
            ContentBlock::Text(text) => Some(text.text.as_str()),
            _ => None,
        })
        .collect();
    if texts.is_empty() {
        "the tool failed and does not say why".to_owned()
    } else {
        texts.join("\n")
    }
}
