//! How large a schema is once everything that it refers to stands in its place: what it takes to hold
//! something against it grows with that.

use std::collections::HashMap;

use serde_json::Value;

/// The number of values in it; `None` where it is endless, or cannot be told.
pub(super) fn parts_of(schema: &Value) -> Option<u64> {
    let mut counting = Counting {
        root: schema,
        known: HashMap::new(),
    };
    counting.count(schema)
}

struct Counting<'a> {
    root: &'a Value,
    /// By JSON Pointer; `None` while it is being counted, which makes it endless if it is met again.
    known: HashMap<&'a str, Option<u64>>,
}

impl<'a> Counting<'a> {
    fn count(&mut self, value: &'a Value) -> Option<u64> {
        let mut sum = 1_u64;
        match value {
            Value::Array(items) => {
                for item in items {
                    sum = sum.saturating_add(self.count(item)?);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    let parts = match (name.as_str(), field) {
                        ("$ref", Value::String(target)) => self.count_target(target)?,
                        ("$dynamicRef" | "$recursiveRef", _) => return None,
                        _ => self.count(field)?,
                    };
                    sum = sum.saturating_add(parts);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        Some(sum)
    }

    fn count_target(&mut self, target: &'a str) -> Option<u64> {
        let Some(pointer) = target.strip_prefix('#') else {
            // Elsewhere, which is nowhere: the schema will be refused.
            return Some(1);
        };
        if let Some(known) = self.known.get(pointer) {
            return *known;
        }
        self.known.insert(pointer, None);
        let parts = self
            .root
            .pointer(pointer)
            .map(|target| self.count(target))?;
        self.known.insert(pointer, parts);
        parts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn what_is_referred_to_counts_as_often_as_it_is() {
        assert_eq!(
            parts_of(&json!({ "type": "object", "required": ["a"] })),
            Some(4)
        );
        let twice = json!({
            "$defs": { "d": { "type": "string" } },
            "anyOf": [{ "$ref": "#/$defs/d" }, { "$ref": "#/$defs/d" }],
        });
        assert_eq!(parts_of(&twice), Some(11));
    }

    #[test]
    fn a_small_schema_that_doubles_again_and_again_is_huge() {
        let mut defs = Map::new();
        for n in 0..60 {
            let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
            defs.insert(format!("d{n}"), json!({ "anyOf": [next, next] }));
        }
        defs.insert("d60".to_owned(), json!({ "type": "string" }));
        let schema = json!({ "$defs": defs, "$ref": "#/$defs/d0" });
        assert!(parts_of(&schema).unwrap() > 1 << 60);
    }

    #[test]
    fn one_that_refers_to_itself_is_endless() {
        let tree = json!({ "properties": { "child": { "$ref": "#" } } });
        assert_eq!(parts_of(&tree), None);
        let strange = json!({ "$ref": "#anchor" });
        assert_eq!(parts_of(&strange), None);
    }
}
