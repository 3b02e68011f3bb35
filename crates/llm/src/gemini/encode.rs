//! A [`ChatRequest`] as the body of a `streamGenerateContent` request.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::conversation::{NO_RESULT, Turn, turns};
use crate::gemini::replay;
use crate::media::Media;
use crate::message::{
    AssistantMessage, AssistantPart, ToolCall, ToolResult, UserMessage, UserPart,
};
use crate::request::{ChatRequest, ToolDeclaration};

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

/// `parametersJsonSchema` takes ordinary JSON Schema, where the older `parameters` refuses
/// most keywords.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Declaration<'a> {
    name: &'a str,
    description: &'a str,
    parameters_json_schema: &'a Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
}

/// The body for the given model.
pub(super) fn request<'a>(request: &'a ChatRequest, model: &str) -> Request<'a> {
    let mut contents = Contents::default();
    for turn in turns(&request.messages) {
        match turn {
            Turn::User(message) => contents.push("user", user_parts(message)),
            Turn::Assistant { message, calls } => {
                let replayed = replay::parts(message, model);
                let parts = match replayed {
                    Some(parts) => parts.iter().map(Part::Replayed).collect(),
                    None => neutral_parts(message, model),
                };
                contents.push("model", parts);
                contents.push_results(&calls, replayed);
            }
        }
    }
    Request {
        system_instruction: request.system.as_deref().map(|text| Content {
            role: None,
            parts: vec![Part::Text { text }],
        }),
        contents: contents.list,
        tools: tools(&request.tools),
        generation_config: generation_config(request),
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

fn user_parts(message: &UserMessage) -> Vec<Part<'_>> {
    message
        .parts
        .iter()
        .map(|part| match part {
            UserPart::Text(text) => Part::Text { text },
            UserPart::Media(media) => Part::Inline {
                inline_data: blob(media),
            },
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

/// Whether the model refuses calls without a signature: Gemini 3 and newer, and the names
/// without a number, which stand for the newest. Others, such as Gemma, do not.
fn checks_signatures(model: &str) -> bool {
    let Some(rest) = model.strip_prefix("gemini-") else {
        return false;
    };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map_or(true, |major: u32| major >= 3)
}

fn tools(declared: &[ToolDeclaration]) -> Vec<Tools<'_>> {
    if declared.is_empty() {
        return Vec::new();
    }
    let declarations = declared
        .iter()
        .map(|tool| Declaration {
            name: &tool.name,
            description: &tool.description,
            parameters_json_schema: &tool.parameters,
        })
        .collect();
    vec![Tools {
        function_declarations: declarations,
    }]
}

fn generation_config(request: &ChatRequest) -> Option<GenerationConfig> {
    let ChatRequest {
        max_output_tokens,
        temperature,
        ..
    } = *request;
    (max_output_tokens.is_some() || temperature.is_some()).then_some(GenerationConfig {
        max_output_tokens,
        temperature,
    })
}

#[cfg(test)]
mod tests {
    use super::checks_signatures;

    #[test]
    fn signatures_are_checked_from_the_third_generation_on() {
        for model in [
            "gemini-3-flash-preview",
            "gemini-3.5-flash-lite",
            "gemini-4-neon",
        ] {
            assert!(checks_signatures(model), "{model}");
        }
        assert!(checks_signatures("gemini-flash-latest"));
        for model in ["gemini-2.5-flash", "gemini-2.0-flash", "gemma-4-27b"] {
            assert!(!checks_signatures(model), "{model}");
        }
    }
}
