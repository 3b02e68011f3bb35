//! A JSON Schema reduced to the subset of `OpenAPI` that `parameters` takes
//! (<https://ai.google.dev/api/caching#Schema>). It refuses every keyword that it does not know.
//!
//! What cannot be said is left out, so that the model is told less and nothing false; a tool
//! checks its arguments anyway. References are put in place; one that leads back into itself
//! becomes an object without more.

use serde_json::{Map, Value, json};

/// Keywords that are taken over as they stand.
const KEPT: [&str; 12] = [
    "title",
    "description",
    "nullable",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
];

/// The formats that are not refused.
const FORMATS: [&str; 6] = ["enum", "date-time", "float", "double", "int32", "int64"];

/// The reduced form; `None` for a tool without arguments, which is to have no schema at all.
pub(super) fn openapi(schema: &Value) -> Option<Value> {
    let mut reducer = Reducer {
        root: schema,
        open: Vec::new(),
    };
    let mut reduced = reducer.schema(schema);
    let has_arguments = reduced
        .get("properties")
        .and_then(Value::as_object)
        .is_some_and(|properties| !properties.is_empty());
    reduced.insert("type".to_owned(), json!("object"));
    has_arguments.then_some(Value::Object(reduced))
}

struct Reducer<'a> {
    root: &'a Value,
    /// The references that are being put in place.
    open: Vec<&'a str>,
}

impl<'a> Reducer<'a> {
    /// One schema that stands by itself.
    fn schema(&mut self, schema: &'a Value) -> Map<String, Value> {
        let mut reduced = self.reduce(schema);
        complete(&mut reduced);
        reduced
    }

    /// What a schema says, to be merged with others or completed. `true`, `false` and whatever is
    /// none say nothing.
    fn reduce(&mut self, schema: &'a Value) -> Map<String, Value> {
        let mut reduced = Map::new();
        if let Some(schema) = schema.as_object() {
            self.own_keywords(schema, &mut reduced);
            for part in list(schema, "allOf") {
                let part = self.reduce(part);
                merge(&mut reduced, part);
            }
            if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
                let target = self.referred(reference);
                merge(&mut reduced, target);
            }
            self.choices(schema, &mut reduced);
        }
        reduced
    }

    fn own_keywords(&mut self, schema: &'a Map<String, Value>, reduced: &mut Map<String, Value>) {
        for keyword in KEPT {
            if let Some(value) = schema.get(keyword) {
                reduced.insert(keyword.to_owned(), value.clone());
            }
        }
        for (exclusive, inclusive) in [
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ] {
            if let Some(bound) = schema.get(exclusive).filter(|bound| bound.is_number()) {
                reduced.entry(inclusive).or_insert_with(|| bound.clone());
            }
        }
        if let Some(format) = schema.get("format").and_then(Value::as_str)
            && FORMATS.contains(&format)
        {
            reduced.insert("format".to_owned(), json!(format));
        }
        types(schema, reduced);
        values(schema, reduced);
        self.members(schema, reduced);
    }

    fn members(&mut self, schema: &'a Map<String, Value>, reduced: &mut Map<String, Value>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let properties: Map<_, _> = properties
                .iter()
                .map(|(name, property)| (name.clone(), Value::Object(self.schema(property))))
                .collect();
            reduced.insert("properties".to_owned(), Value::Object(properties));
        }
        if let Some(items) = schema.get("items") {
            reduced.insert("items".to_owned(), Value::Object(self.schema(items)));
        }
        if let Some(required) = schema.get("required").filter(|names| names.is_array()) {
            reduced.insert("required".to_owned(), required.clone());
        }
    }

    fn referred(&mut self, reference: &'a str) -> Map<String, Value> {
        if self.open.contains(&reference) {
            return Map::from_iter([("type".to_owned(), json!("object"))]);
        }
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| self.root.pointer(pointer));
        let Some(target) = target else {
            return Map::new();
        };
        self.open.push(reference);
        let reduced = self.reduce(target);
        self.open.pop();
        reduced
    }

    /// `anyOf` and `oneOf`. Null among them makes the whole nullable; a choice of one is none.
    fn choices(&mut self, schema: &'a Map<String, Value>, reduced: &mut Map<String, Value>) {
        let is_null = |choice: &&Value| choice.get("type").is_some_and(|kind| kind == "null");
        let (null, choices): (Vec<_>, Vec<_>) = list(schema, "anyOf")
            .chain(list(schema, "oneOf"))
            .partition(is_null);
        if !null.is_empty() {
            reduced.insert("nullable".to_owned(), json!(true));
        }
        if let [only] = choices.as_slice() {
            let only = self.reduce(only);
            merge(reduced, only);
        } else if !choices.is_empty() {
            let choices: Vec<_> = choices
                .into_iter()
                .map(|choice| Value::Object(self.schema(choice)))
                .collect();
            reduced.insert("anyOf".to_owned(), Value::Array(choices));
        }
    }
}

/// `type`, which is one name: null is `nullable`, several are a choice.
fn types(schema: &Map<String, Value>, reduced: &mut Map<String, Value>) {
    let named = match schema.get("type") {
        Some(Value::Array(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    let mut names = named.iter().filter(|name| *name != "null");
    if names.clone().count() < named.len() {
        reduced.insert("nullable".to_owned(), json!(true));
    }
    let choices: Vec<_> = names.clone().map(|name| json!({"type": name})).collect();
    if choices.len() > 1 {
        reduced.insert("anyOf".to_owned(), Value::Array(choices));
    } else if let Some(name) = names.next() {
        reduced.insert("type".to_owned(), name.clone());
    }
}

/// `enum` and `const`. Only strings can be listed; other values go into the description.
fn values(schema: &Map<String, Value>, reduced: &mut Map<String, Value>) {
    let constant = schema.get("const").into_iter();
    let mut listed: Vec<&Value> = list(schema, "enum").chain(constant).collect();
    let all = listed.len();
    listed.retain(|value| !value.is_null());
    if listed.len() < all {
        reduced.insert("nullable".to_owned(), json!(true));
    }
    if listed.is_empty() {
        return;
    }
    if listed.iter().all(|value| value.is_string()) {
        reduced.insert("type".to_owned(), json!("string"));
        reduced.insert("enum".to_owned(), json!(listed));
        return;
    }
    let names: Vec<_> = listed.iter().map(ToString::to_string).collect();
    let said = reduced.get("description").and_then(Value::as_str);
    let description = format!("{} One of: {}.", said.unwrap_or(""), names.join(", "));
    reduced.insert("description".to_owned(), json!(description.trim_start()));
}

/// Adds what is missing there and must not be: a type, the items of an array. Takes out names of
/// required properties that there are not.
fn complete(reduced: &mut Map<String, Value>) {
    if !reduced.contains_key("type") && !reduced.contains_key("anyOf") {
        let kind = if reduced.contains_key("properties") {
            "object"
        } else if reduced.contains_key("items") {
            "array"
        } else {
            // Anything can be written as one.
            "string"
        };
        reduced.insert("type".to_owned(), json!(kind));
    }
    if reduced.get("type").is_some_and(|kind| kind == "array") && !reduced.contains_key("items") {
        reduced.insert("items".to_owned(), json!({"type": "string"}));
    }
    let properties = reduced.get("properties").and_then(Value::as_object);
    let names: Vec<_> = list(reduced, "required")
        .filter(|name| {
            let name = name.as_str().unwrap_or_default();
            properties.is_some_and(|properties| properties.contains_key(name))
        })
        .cloned()
        .collect();
    if names.is_empty() {
        reduced.remove("required");
    } else {
        reduced.insert("required".to_owned(), Value::Array(names));
    }
}

/// Adds what another schema says. Properties and required names come together; else the first word
/// counts.
fn merge(into: &mut Map<String, Value>, other: Map<String, Value>) {
    for (keyword, value) in other {
        match (into.get_mut(&keyword), value) {
            (Some(Value::Object(properties)), Value::Object(more)) if keyword == "properties" => {
                for (name, property) in more {
                    properties.entry(name).or_insert(property);
                }
            }
            (Some(Value::Array(names)), Value::Array(more)) if keyword == "required" => {
                names.extend(more);
            }
            (Some(_), _) => {}
            (None, value) => {
                into.insert(keyword, value);
            }
        }
    }
}

fn list<'a>(schema: &'a Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'a Value> {
    schema
        .get(keyword)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reduced form of one argument.
    fn reduced(argument: &Value) -> Value {
        let schema = json!({"type": "object", "properties": {"it": argument}, "$defs": {
            "name": {"type": "string", "description": "a name", "examples": ["x"]},
            "tree": {"type": "object", "properties": {
                "label": {"$ref": "#/$defs/name"},
                "below": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
            }, "required": ["label"], "additionalProperties": false},
        }});
        openapi(&schema).unwrap()["properties"]["it"].clone()
    }

    fn expect(cases: impl IntoIterator<Item = (Value, Value)>) {
        for (argument, expected) in cases {
            assert_eq!(reduced(&argument), expected, "{argument}");
        }
    }

    #[test]
    fn keywords_that_are_refused_are_left_out_or_said_otherwise() {
        expect([
            (
                json!({"$comment": "c", "type": "string", "format": "uri", "default": "a", "maxLength": 3}),
                json!({"type": "string", "maxLength": 3}),
            ),
            (
                json!({"const": "a"}),
                json!({"type": "string", "enum": ["a"]}),
            ),
            (
                json!({"type": "integer", "enum": [1, 2], "description": "Which."}),
                json!({"type": "integer", "description": "Which. One of: 1, 2."}),
            ),
            (
                json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": true, "multipleOf": 2}),
                json!({"type": "number", "minimum": 0}),
            ),
            (
                json!({"type": "array", "uniqueItems": true}),
                json!({"type": "array", "items": {"type": "string"}}),
            ),
            (json!(true), json!({"type": "string"})),
        ]);
    }

    #[test]
    fn null_becomes_nullable_and_every_choice_one_of_any() {
        let nullable = json!({"type": "string", "nullable": true});
        expect([
            (json!({"type": ["string", "null"]}), nullable.clone()),
            (
                json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
                nullable,
            ),
            (
                json!({"enum": ["a", null]}),
                json!({"type": "string", "enum": ["a"], "nullable": true}),
            ),
            (
                json!({"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}),
                json!({"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": true}),
            ),
            (
                json!({"type": ["string", "integer"]}),
                json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
            ),
        ]);
    }

    #[test]
    fn parts_are_put_together_and_unknown_names_are_not_required() {
        expect([(
            json!({"allOf": [
                {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
                {"properties": {"b": {"type": "string"}}, "required": ["b", "z"]},
            ]}),
            json!({"type": "object", "required": ["a", "b"], "properties": {
                "a": {"type": "integer"}, "b": {"type": "string"},
            }}),
        )]);
    }

    #[test]
    fn references_are_put_in_place_and_those_into_themselves_end() {
        let name = json!({"type": "string", "description": "a name"});
        expect([
            (json!({"$ref": "#/$defs/name"}), name.clone()),
            (
                json!({"$ref": "#/$defs/name", "description": "its own"}),
                json!({"type": "string", "description": "its own"}),
            ),
            (json!({"$ref": "#/$defs/none"}), json!({"type": "string"})),
            (
                json!({"$ref": "#/$defs/tree"}),
                json!({"type": "object", "required": ["label"], "properties": {
                    "label": name, "below": {"type": "array", "items": {"type": "object"}},
                }}),
            ),
        ]);
        let itself = json!({"properties": {"again": {"$ref": "#"}}});
        let reduced = openapi(&itself).unwrap().to_string();
        assert!(reduced.matches("again").count() < 4, "{reduced}");
    }

    #[test]
    fn a_tool_without_arguments_has_no_schema() {
        for schema in [json!({}), json!({"type": "object", "properties": {}})] {
            assert_eq!(openapi(&schema), None);
        }
    }
}
