//! The messages of the document: each variant of the three enums is one, with the text and the
//! schema that its Rust type has.

#![expect(
    clippy::indexing_slicing,
    reason = "JSON is asked by name, and answers `null` where there is nothing"
)]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::{RemoveRefSiblings, Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::client::ClientMessage;
use crate::durable::DurableEvent;
use crate::limits::{MAX_CONTENT_BYTES, MAX_METADATA_BYTES};
use crate::live::LiveEvent;
use crate::{JsonObject, VERSION};

/// One message of every type, by its name in this file.
const EXAMPLES: &str = include_str!("examples.json");
const SCHEMAS: &str = "#/components/schemas/";

/// What the document says of the messages, each by its name among the components.
pub(super) struct Messages {
    pub(super) from_client: JsonObject,
    pub(super) from_server: JsonObject,
    /// What the schemas of several messages share.
    pub(super) schemas: JsonObject,
}

impl Messages {
    pub(super) fn of_the_protocol() -> Self {
        let examples = serde_json::from_str(EXAMPLES).unwrap_or_default();
        let settings = || {
            SchemaSettings::draft07().with(|settings| {
                settings.definitions_path = SCHEMAS.into();
            })
        };
        let client = Types::of::<ClientMessage>(settings());
        // A server always writes what a reader may find left out.
        let durable = Types::of::<DurableEvent>(settings().for_serialize());
        let live = Types::of::<LiveEvent>(settings().for_serialize());

        let mut from_server = durable.messages("server", "durable", &examples);
        from_server.extend(live.messages("server", "live", &examples));
        let mut messages = Self {
            from_client: client.messages("client", "client", &examples),
            from_server,
            schemas: JsonObject::new(),
        };
        for types in [client, durable, live] {
            messages.schemas.extend(types.definitions);
        }
        messages.finish();
        messages
    }

    /// Leaves out the schemas that no message refers to, and makes all of them what `AsyncAPI` reads.
    fn finish(&mut self) {
        let mut wanted = JsonObject::new();
        let mut found = Vec::new();
        for message in self.from_client.values().chain(self.from_server.values()) {
            references(message, &mut found);
        }
        while let Some(name) = found.pop() {
            if let Some(schema) = self.schemas.remove(&name) {
                references(&schema, &mut found);
                wanted.insert(name, schema);
            }
        }
        wanted.values_mut().for_each(finish_schema);
        self.schemas = wanted;
        for message in self
            .from_client
            .values_mut()
            .chain(self.from_server.values_mut())
        {
            message.get_mut("payload").map(finish_schema);
        }
    }
}

/// An enum of messages, and the types it is made of.
struct Types {
    root: JsonObject,
    definitions: JsonObject,
}

impl Types {
    fn of<T: JsonSchema>(settings: SchemaSettings) -> Self {
        let mut generator = settings.into_generator();
        generator.subschema_for::<T>();
        let mut definitions = generator.take_definitions(false);
        let root = definitions.remove(&*T::schema_name());
        Self {
            root: object(root.unwrap_or_default()),
            definitions,
        }
    }

    /// The message of each variant, named `side.type`.
    fn messages(&self, side: &str, tag: &str, examples: &Value) -> JsonObject {
        let variants = self.root.get("oneOf").and_then(Value::as_array);
        variants
            .into_iter()
            .flatten()
            .map(|variant| {
                let name = variant["properties"]["type"]["const"]
                    .as_str()
                    .unwrap_or_default();
                let message = json!({
                    "name": name,
                    "title": title(name),
                    "summary": variant["description"],
                    "tags": [{ "name": tag }],
                    "payload": self.payload(variant),
                    "examples": [{ "payload": examples[side][name] }],
                });
                (format!("{side}.{name}"), message)
            })
            .collect()
    }

    /// The fields that all variants share, the tag, and those of the variant's own type, as one object.
    fn payload(&self, variant: &Value) -> Value {
        let inner = variant["$ref"].as_str().and_then(|target| {
            let name = target.strip_prefix(SCHEMAS)?;
            self.definitions.get(name)
        });
        let mut properties = JsonObject::new();
        let mut required = Vec::new();
        let root = Value::Object(self.root.clone());
        for part in [Some(variant), Some(&root), inner].into_iter().flatten() {
            properties.extend(object(part["properties"].clone()));
            required.extend(part["required"].as_array().cloned().unwrap_or_default());
        }
        let mut payload = json!({
            "type": "object",
            "properties": properties,
            "required": required,
        });
        // Behind the sentence that names the variant there may be more.
        let more = inner
            .and_then(|inner| inner["description"].as_str())
            .and_then(|text| text.split_once("`]. "));
        if let (Some((_, more)), Some(payload)) = (more, payload.as_object_mut()) {
            payload.insert("description".to_owned(), more.into());
        }
        payload
    }
}

/// What the documentation of an enum of names says about each.
pub(super) fn descriptions<T: JsonSchema>() -> BTreeMap<String, String> {
    let schema = schemars::schema_for!(T).to_value();
    let names = schema["oneOf"].as_array().cloned().unwrap_or_default();
    names
        .iter()
        .filter_map(|name| {
            let description = without_links(name["description"].as_str()?);
            Some((name["const"].as_str()?.to_owned(), description))
        })
        .collect()
}

/// `user_message` as a title.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The names of the schemas that are referred to in a value.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let target = fields.get("$ref").and_then(Value::as_str);
            let name = target.and_then(|target| target.strip_prefix(SCHEMAS));
            found.extend(name.map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Draft 7 reads nothing beside a `$ref`; and texts for Rust become texts for everybody.
fn finish_schema(value: &mut Value) {
    if let Ok(schema) = <&mut Schema>::try_from(value) {
        RemoveRefSiblings::default().transform(schema);
        reword(schema);
    }
}

fn reword(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = without_links(text);
    }
    transform_subschemas(&mut reword, schema);
}

/// A text without what only `rustdoc` understands.
fn without_links(text: &str) -> String {
    let constants = [
        ("[`MAX_CONTENT_BYTES`]", MAX_CONTENT_BYTES.to_string()),
        ("[`MAX_METADATA_BYTES`]", MAX_METADATA_BYTES.to_string()),
        (
            "A frame over [`MAX_FRAME_BYTES`](crate::MAX_FRAME_BYTES)",
            "A frame that is too large".to_owned(),
        ),
        ("[`VERSION`](crate::VERSION)", VERSION.to_string()),
        ("[`ToolError`]", "an error".to_owned()),
    ];
    let mut text = text.replace('\n', " ");
    for (link, plain) in constants {
        text = text.replace(link, &plain);
    }
    text
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
