//! JSON merge patches of a session's metadata (RFC 7396).

use patter_protocol::JsonObject;
use serde_json::Value;

use super::{MAX_METADATA_BYTES, METRICS_KEY};
use crate::encode::json_text;
use crate::error::StoreError;

/// The metadata after the patch, as text for a database.
///
/// # Errors
///
/// [`StoreError::MetadataTooLarge`], [`StoreError::Rejected`].
pub(crate) fn merged(
    mut metadata: JsonObject,
    mut patch: JsonObject,
) -> Result<String, StoreError> {
    patch.remove(METRICS_KEY);
    // Checked first, so that what follows goes only so deep.
    json_text(&Value::Object(patch.clone()))?;
    let metrics = metadata.remove(METRICS_KEY);
    merge(&mut metadata, patch);
    let text = json_text(&Value::Object(metadata.clone()))?;
    if text.len() > MAX_METADATA_BYTES {
        return Err(StoreError::MetadataTooLarge {
            bytes: text.len(),
            limit: MAX_METADATA_BYTES,
        });
    }
    match metrics {
        None => Ok(text),
        Some(metrics) => {
            metadata.insert(METRICS_KEY.to_owned(), metrics);
            json_text(&Value::Object(metadata))
        }
    }
}

fn merge(target: &mut JsonObject, patch: JsonObject) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                target.remove(&key);
            }
            Value::Object(patch) => {
                let slot = target.entry(key).or_insert(Value::Null);
                if !slot.is_object() {
                    *slot = Value::Object(JsonObject::new());
                }
                if let Value::Object(slot) = slot {
                    merge(slot, patch);
                }
            }
            value => {
                target.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, appendix A, whose target and patch are objects.
    #[test]
    fn the_examples_of_the_rfc() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (
                json!({"a": "b", "b": "c"}),
                json!({"a": null}),
                json!({"b": "c"}),
            ),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!({"a": [{"b": "c"}]}),
                json!({"a": [1]}),
                json!({"a": [1]}),
            ),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!({"a": "foo"}),
                json!({"a": {"b": null}}),
                json!({"a": {}}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            let object = |value: Value| value.as_object().unwrap().clone();
            let text = merged(object(target), object(patch.clone())).unwrap();
            let got: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(got, result, "{patch}");
        }
    }
}
