//! Arguments of a tool: the schema that the model sees, and the strict reading of what it wrote.

mod cost;

use jsonschema::{PatternOptions, Validator};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::ToolError;

/// The JSON Schema of `A`: subschemas inlined, without `$schema` and the name of the Rust type.
///
/// Both Gemini (`parametersJsonSchema`) and the `OpenAI` APIs accept this form.
pub(crate) fn schema<A: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<A>();
    schema.remove("title");
    schema.to_value()
}

/// Reads `arguments` into `A`.
///
/// # Errors
///
/// [`ToolError::InvalidArguments`], naming the field, for a field that is missing, of the wrong
/// type, or unknown to `A`. An unknown field is a mistake of the model that it should hear of,
/// so it is refused even where `A` does not say so.
pub(crate) fn parse<A: DeserializeOwned>(arguments: Map<String, Value>) -> Result<A, ToolError> {
    let mut unknown = Vec::new();
    let mut note_unknown = |path: serde_ignored::Path<'_>| unknown.push(path.to_string());
    let deserializer =
        serde_ignored::Deserializer::new(Value::Object(arguments), &mut note_unknown);
    let parsed = serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        ToolError::InvalidArguments(match path.as_str() {
            "." => reason.to_string(),
            _ => format!("`{path}`: {reason}"),
        })
    })?;
    if unknown.is_empty() {
        Ok(parsed)
    } else {
        Err(ToolError::InvalidArguments(format!(
            "unknown field `{}`",
            unknown.join("`, `")
        )))
    }
}

/// Refuses what a schema that is data does not know: the same for every tool that has no type of its own
/// for its arguments.
///
/// # Errors
///
/// [`ToolError::InvalidArguments`], naming the first unknown field.
pub(crate) fn refuse_unknown(
    arguments: &Map<String, Value>,
    schema: &Value,
) -> Result<(), ToolError> {
    let known = schema.get("properties").and_then(Value::as_object);
    let is_known = |name: &str| known.is_some_and(|known| known.contains_key(name));
    match arguments.keys().find(|name| !is_known(name)) {
        Some(name) => Err(ToolError::InvalidArguments(format!(
            "unknown field `{name}`"
        ))),
        None => Ok(()),
    }
}

/// How often a pattern of a schema may go back in a text: some take exponential time otherwise.
const MAX_BACKTRACKS: usize = 10_000;

/// What a schema may have, with everything that it refers to in its place. One that is 32 KiB long and
/// refers to nothing has fewer.
const MAX_PARTS: u64 = 20_000;
/// Of more faults than that, a model learns no more.
const MAX_FAULTS: usize = 3;

/// A schema that arguments are held against.
#[derive(Debug)]
pub(crate) struct Schema(Validator);

impl Schema {
    /// Reads a JSON Schema, of the draft that it names, else 2020-12. Nothing that it refers to is fetched.
    /// `None` for one that refers to itself, or so often that holding anything against it could take any
    /// time and memory: whoever has it must check arguments.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn new(schema: &Value) -> Result<Option<Self>, String> {
        if cost::parts_of(schema).is_none_or(|parts| parts > MAX_PARTS) {
            return Ok(None);
        }
        let patterns = PatternOptions::fancy_regex().backtrack_limit(MAX_BACKTRACKS);
        let options = jsonschema::options()
            .offline()
            .with_pattern_options(patterns);
        let validator = options.build(schema);
        validator
            .map(|validator| Some(Self(validator)))
            .map_err(|error| error.to_string())
    }

    /// Gives back arguments that fit.
    ///
    /// # Errors
    ///
    /// [`ToolError::InvalidArguments`] with the first faults, each with the JSON Pointer to it.
    pub(crate) fn check(
        &self,
        arguments: Map<String, Value>,
    ) -> Result<Map<String, Value>, ToolError> {
        let arguments = Value::Object(arguments);
        let faults = self.0.iter_errors(&arguments).take(MAX_FAULTS);
        let faults: Vec<_> = faults.map(|error| fault(&error)).collect();
        match arguments {
            Value::Object(arguments) if faults.is_empty() => Ok(arguments),
            _ => Err(ToolError::InvalidArguments(faults.join("; "))),
        }
    }
}

fn fault(error: &jsonschema::ValidationError<'_>) -> String {
    match error.instance_path().as_str() {
        "" => error.to_string(),
        path => format!("`{path}`: {error}"),
    }
}
