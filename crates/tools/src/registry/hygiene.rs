//! Makes what a tool answers fit to be stored, sent, and read back.
//!
//! - U+0000 becomes U+FFFD: Postgres cannot hold it.
//! - A result nests at most 64 levels: JSON readers, `serde_json` among them, stop at 128, and the
//!   events around the result nest too.
//! - A result has at most so many bytes of JSON, and the text of an error 4 KiB.

use std::io;

use serde_json::{Map, Value};

use crate::ToolError;

const MAX_DEPTH: usize = 64;
const MAX_ERROR_BYTES: usize = 4096;

/// The result without U+0000.
///
/// # Errors
///
/// [`ToolError::InvalidOutput`] for a result that nests too deeply, [`ToolError::TooLarge`] for
/// one of more than `limit` bytes.
pub(super) fn clean_result(mut result: Value, limit: usize) -> Result<Value, ToolError> {
    if let Err(error) = replace_nul(&mut result, MAX_DEPTH) {
        take_apart(result);
        return Err(error);
    }
    let bytes = json_bytes(&result)?;
    if bytes > limit {
        return Err(ToolError::TooLarge { bytes, limit });
    }
    Ok(result)
}

/// The error with a text that is short enough and has no U+0000.
pub(super) fn clean_error(mut error: ToolError) -> ToolError {
    match &mut error {
        ToolError::InvalidArguments(text)
        | ToolError::UnknownTool(text)
        | ToolError::BlockedAddress(text)
        | ToolError::InvalidOutput(text)
        | ToolError::Failed(text) => {
            if text.len() > MAX_ERROR_BYTES {
                text.truncate(text.floor_char_boundary(MAX_ERROR_BYTES));
                text.push('…');
            }
            clean_text(text);
        }
        ToolError::Timeout { .. }
        | ToolError::TooLarge { .. }
        | ToolError::NotApproved
        | ToolError::Interrupted => {}
    }
    error
}

fn replace_nul(value: &mut Value, levels_left: usize) -> Result<(), ToolError> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => clean_text(text),
        Value::Array(items) => {
            let levels_left = descend(levels_left)?;
            for item in items {
                replace_nul(item, levels_left)?;
            }
        }
        Value::Object(fields) => {
            let levels_left = descend(levels_left)?;
            for field in fields.values_mut() {
                replace_nul(field, levels_left)?;
            }
            if fields.keys().any(|key| key.contains('\0')) {
                rename_fields(fields);
            }
        }
    }
    Ok(())
}

fn descend(levels_left: usize) -> Result<usize, ToolError> {
    levels_left
        .checked_sub(1)
        .ok_or_else(|| ToolError::InvalidOutput(format!("it nests deeper than {MAX_DEPTH} levels")))
}

/// Drops a value that may nest so deep that dropping it as it is would overflow the stack, which ends
/// the process.
fn take_apart(value: Value) {
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items),
            Value::Object(fields) => left.extend(fields.into_iter().map(|(_, value)| value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Renames the fields with U+0000 in their name; one whose new name is taken gets a longer one.
fn rename_fields(fields: &mut Map<String, Value>) {
    let (renamed, mut kept): (Map<_, _>, Map<_, _>) = std::mem::take(fields)
        .into_iter()
        .partition(|(key, _)| key.contains('\0'));
    for (mut key, value) in renamed {
        clean_text(&mut key);
        while kept.contains_key(&key) {
            key.push('\u{fffd}');
        }
        kept.insert(key, value);
    }
    *fields = kept;
}

fn clean_text(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

/// The size of `value` as JSON without white space, in bytes; nothing is written anywhere.
fn json_bytes(value: &Value) -> Result<usize, ToolError> {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value)
        .map_err(|error| ToolError::InvalidOutput(error.to_string()))?;
    Ok(count.0)
}
