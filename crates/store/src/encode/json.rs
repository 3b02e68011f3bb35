//! JSON on its way into a database, as text that comes back as the same value.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::error::StoreError;

/// How deep stored JSON may nest; `serde_json` parses 127 levels and no more.
const MAX_DEPTH: usize = 127;

/// The text of a value.
///
/// # Errors
///
/// [`StoreError::Rejected`] if the value holds U+0000 or nests too deep to be read again.
pub(crate) fn to_text(value: &Value) -> Result<String, StoreError> {
    check(value, MAX_DEPTH)?;
    let mut bytes = Vec::with_capacity(256);
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, KeepsFloats))
        .map_err(|error| StoreError::Rejected(error.into()))?;
    String::from_utf8(bytes).map_err(|error| StoreError::Rejected(error.into()))
}

/// Whether a value can be stored, with `levels` of nesting left.
fn check(value: &Value, levels: usize) -> Result<(), StoreError> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) => check_text(text),
        Value::Array(_) | Value::Object(_) if levels == 0 => Err(StoreError::Rejected(
            format!("JSON nests deeper than {MAX_DEPTH} levels").into(),
        )),
        Value::Array(items) => items.iter().try_for_each(|item| check(item, levels - 1)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            check_text(name)?;
            check(field, levels - 1)
        }),
    }
}

fn check_text(text: &str) -> Result<(), StoreError> {
    if text.contains('\0') {
        return Err(StoreError::Rejected("JSON contains U+0000".into()));
    }
    Ok(())
}

/// Writes a whole floating-point number with `.0` and never with an exponent: Postgres keeps the
/// digits behind the point but not the exponent, so `1e16` would come back as an integer.
struct KeepsFloats;

impl Formatter for KeepsFloats {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value.fract() == 0.0 {
            write!(writer, "{value:.1}")
        } else {
            CompactFormatter.write_f64(writer, value)
        }
    }
}
