//! Takes the fields of a frame one by one. A field that is `null` counts as left out.

use serde_json::Value;
use uuid::Uuid;

use super::ParseError;
use crate::JsonObject;
use crate::ids::MessageId;

pub(super) struct Fields(JsonObject);

pub(super) fn missing(field: &'static str) -> ParseError {
    invalid(field, "is missing")
}

pub(super) fn invalid(field: &'static str, problem: impl Into<String>) -> ParseError {
    ParseError::InvalidField {
        field,
        problem: problem.into(),
        message_id: None,
    }
}

impl Fields {
    pub(super) fn new(object: JsonObject) -> Self {
        Self(object)
    }

    fn take(&mut self, field: &'static str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<Option<String>, ParseError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => {
                Err(invalid(field, "must not contain U+0000"))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(field, "must be a string")),
        }
    }

    pub(super) fn required_text(&mut self, field: &'static str) -> Result<String, ParseError> {
        self.text(field)?.ok_or_else(|| missing(field))
    }

    pub(super) fn short_text(
        &mut self,
        field: &'static str,
        max_chars: usize,
    ) -> Result<Option<String>, ParseError> {
        let text = self.text(field)?;
        if text
            .as_ref()
            .is_some_and(|text| text.chars().count() > max_chars)
        {
            let problem = format!("must have at most {max_chars} characters");
            return Err(invalid(field, problem));
        }
        Ok(text)
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Result<Option<bool>, ParseError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(invalid(field, "must be true or false")),
        }
    }

    pub(super) fn uuid(&mut self, field: &'static str) -> Result<Option<Uuid>, ParseError> {
        self.text(field)?
            .map(|text| Uuid::try_parse(&text).map_err(|_| invalid(field, "must be a UUID")))
            .transpose()
    }

    pub(super) fn message_id(
        &mut self,
        field: &'static str,
    ) -> Result<Option<MessageId>, ParseError> {
        self.text(field)?
            .map(|text| {
                MessageId::try_from(text)
                    .map_err(|_| invalid(field, "must have 1 to 64 characters"))
            })
            .transpose()
    }

    pub(super) fn object(
        &mut self,
        field: &'static str,
        max_bytes: usize,
    ) -> Result<JsonObject, ParseError> {
        let value = match self.take(field) {
            None => return Ok(JsonObject::new()),
            Some(value @ Value::Object(_)) => value,
            Some(_) => return Err(invalid(field, "must be an object")),
        };
        let json = value.to_string();
        if json.len() > max_bytes {
            let problem = format!(
                "has {} bytes of JSON; at most {max_bytes} are allowed",
                json.len()
            );
            return Err(invalid(field, problem));
        }
        // The escape is the only form in which U+0000 can stand in serialized JSON.
        if json.contains("\\u0000") && holds_nul(&value) {
            return Err(invalid(field, "must not contain U+0000"));
        }
        match value {
            Value::Object(object) => Ok(object),
            _ => Ok(JsonObject::new()),
        }
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
