//! A [`ChatRequest`] as the body of a `streamGenerateContent` request.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::conversation::{NO_RESULT, Turn, turns};
use crate::gemini::family::checks_signatures;
use crate::gemini::thinking::Thinking;
use crate::gemini::{replay, schema};
use crate::media::Media;
use crate::message::{
    AssistantMessage, AssistantPart, ToolCall, ToolResult, UserMessage, UserPart,
};
use crate::origin::Origin;
use crate::request::{ChatRequest, ToolDeclaration};
use crate::settings::SchemaForm;

/// Stands in for the signature of a call that another model made: the documented word
/// `skip_thought_signature_validator`, in base64 because the field holds bytes.
const STAND_IN_SIGNATURE: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tools<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<GenerationConfig>,
}

#[derive(Debug, Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<Part<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Text {
        text: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    Inline {
        inline_data: Blob<'a>,
    },
    #[serde(rename_all = "camelCase")]
    Call {
        function_call: Call<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        thought_signature: Option<&'static str>,
    },
    #[serde(rename_all = "camelCase")]
    Response {
        function_response: Response<'a>,
    },
    Replayed(&'a Value),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Blob<'a> {
    mime_type: &'a str,
    data: String,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    id: &'a str,
    name: &'a str,
    args: &'a Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct Response<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    response: Outcome<'a>,
}

/// `response` must be an object; these are its documented keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome<'a> {
    Output(&'a Value),
    Error(&'a str),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tools<'a> {
    function_declarations: Vec<Declaration<'a>>,
}

/// With one of the two schemas: `parametersJsonSchema` takes ordinary JSON Schema, where the older
/// `parameters` refuses most keywords.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Declaration<'a> {
    name: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
}

/// The body for the model of this origin.
pub(super) fn request<'a>(
    request: &'a ChatRequest,
    origin: &Origin,
    form: SchemaForm,
    thinking: Option<Thinking>,
) -> Request<'a> {
    let mut contents = Contents::default();
    for turn in turns(&request.messages) {
        match turn {
            Turn::User(message) => contents.push("user", user_parts(message)),
            Turn::Assistant { message, calls } => {
                let replayed = replay::parts(message, origin);
                let parts = match replayed {
                    Some(parts) => parts.iter().map(Part::Replayed).collect(),
                    None => neutral_parts(message, origin.model()),
                };
                contents.push("model", parts);
                contents.push_results(&calls, replayed);
            }
        }
    }
    Request {
        system_instruction: request
            .system
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(|text| Content {
                role: None,
                parts: vec![Part::Text { text }],
            }),
        contents: contents.list,
        tools: tools(&request.tools, form),
        generation_config: generation_config(request, thinking),
    }
}

/// The contents so far. Neighbours of one role are one content, except that results stand alone.
#[derive(Default)]
struct Contents<'a> {
    list: Vec<Content<'a>>,
}

impl<'a> Contents<'a> {
    fn push(&mut self, role: &'static str, parts: Vec<Part<'a>>) {
        if parts.is_empty() {
            return;
        }
        match self.list.last_mut() {
            Some(last)
                if last.role == Some(role)
                    && !matches!(last.parts.first(), Some(Part::Response { .. })) =>
            {
                last.parts.extend(parts);
            }
            _ => self.list.push(Content {
                role: Some(role),
                parts,
            }),
        }
    }

    /// One response for each call, in order, with the id that the call goes out with.
    fn push_results(
        &mut self,
        calls: &[(&'a ToolCall, Option<&'a ToolResult>)],
        replayed: Option<&'a [Value]>,
    ) {
        if calls.is_empty() {
            return;
        }
        let mut native_ids = replayed.map(replay::native_ids);
        let parts = calls
            .iter()
            .map(|(call, result)| {
                let id = match &mut native_ids {
                    Some(ids) => ids.next().flatten(),
                    None => Some(call.id.as_str()),
                };
                let response = match result.map(|result| &result.outcome) {
                    Some(Ok(output)) => Outcome::Output(output),
                    Some(Err(error)) => Outcome::Error(error),
                    None => Outcome::Error(NO_RESULT),
                };
                Part::Response {
                    function_response: Response {
                        id,
                        name: &call.name,
                        response,
                    },
                }
            })
            .collect();
        self.list.push(Content {
            role: Some("user"),
            parts,
        });
    }
}

/// Without empty texts, which are refused.
fn user_parts(message: &UserMessage) -> Vec<Part<'_>> {
    message
        .parts
        .iter()
        .filter_map(|part| match part {
            UserPart::Text(text) if text.is_empty() => None,
            UserPart::Text(text) => Some(Part::Text { text }),
            UserPart::Media(media) => Some(Part::Inline {
                inline_data: blob(media),
            }),
        })
        .collect()
}

fn blob(media: &Media) -> Blob<'_> {
    Blob {
        mime_type: &media.mime_type,
        data: media.base64(),
    }
}

/// The parts of a message that this model did not make, or did not sign.
fn neutral_parts<'a>(message: &'a AssistantMessage, model: &str) -> Vec<Part<'a>> {
    let mut stand_in = checks_signatures(model).then_some(STAND_IN_SIGNATURE);
    message
        .parts
        .iter()
        .filter_map(|part| match part {
            AssistantPart::Text(text) if text.is_empty() => None,
            AssistantPart::Text(text) => Some(Part::Text { text }),
            AssistantPart::ToolCall(call) => Some(Part::Call {
                function_call: Call {
                    id: &call.id,
                    name: &call.name,
                    args: &call.arguments,
                },
                // Only the first call of a step is checked.
                thought_signature: stand_in.take(),
            }),
        })
        .collect()
}

fn tools(declared: &[ToolDeclaration], form: SchemaForm) -> Vec<Tools<'_>> {
    if declared.is_empty() {
        return Vec::new();
    }
    let declarations = declared
        .iter()
        .map(|tool| declaration(tool, form))
        .collect();
    vec![Tools {
        function_declarations: declarations,
    }]
}

fn declaration(tool: &ToolDeclaration, form: SchemaForm) -> Declaration<'_> {
    let (parameters_json_schema, parameters) = match form {
        SchemaForm::JsonSchema => (Some(&tool.parameters), None),
        SchemaForm::OpenApi => (None, schema::openapi(&tool.parameters)),
    };
    Declaration {
        name: &tool.name,
        description: &tool.description,
        parameters_json_schema,
        parameters,
    }
}

/// Nothing where nothing is set: some models ignore or refuse what others take.
fn generation_config(
    request: &ChatRequest,
    thinking_config: Option<Thinking>,
) -> Option<GenerationConfig> {
    let ChatRequest {
        max_output_tokens,
        temperature,
        ..
    } = *request;
    let is_set = max_output_tokens.is_some() || temperature.is_some() || thinking_config.is_some();
    is_set.then_some(GenerationConfig {
        thinking_config,
        max_output_tokens,
        temperature,
    })
}
