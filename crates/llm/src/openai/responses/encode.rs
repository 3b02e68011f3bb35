//! A [`ChatRequest`] as the body of a Responses request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::conversation::{Turn, turns};
use crate::effort::ReasoningEffort;
use crate::media::Media;
use crate::message::{AssistantMessage, AssistantPart, UserPart};
use crate::openai::responses::replay::{call_ids, kept_items};
use crate::openai::{model_name, tool_text};
use crate::origin::Origin;
use crate::request::{ChatRequest, ToolDeclaration};

/// A lower limit is refused.
const LEAST_OUTPUT_TOKENS: u32 = 16;

#[derive(Debug, Serialize)]
pub(in crate::openai) struct Request<'a> {
    model: &'a str,
    stream: bool,
    store: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    include: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    input: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item<'a> {
    Message {
        role: &'static str,
        content: Vec<Part<'a>>,
    },
    FunctionCall {
        call_id: &'a str,
        name: &'a str,
        #[serde(serialize_with = "tool_text::arguments")]
        arguments: &'a Map<String, Value>,
    },
    FunctionCallOutput {
        call_id: &'a str,
        output: Cow<'a, str>,
    },
    #[serde(untagged)]
    Replayed(&'a Value),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    InputText {
        text: &'a str,
    },
    InputImage {
        image_url: String,
        detail: &'static str,
    },
    InputFile {
        filename: &'a str,
        file_data: String,
    },
    OutputText {
        text: &'a str,
    },
}

/// Left out, `strict` would be on, and most schemas are not fit for that.
#[derive(Debug, Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
    strict: bool,
}

#[derive(Debug, Serialize)]
struct Reasoning {
    effort: &'static str,
    /// Shows what the model thinks, which it otherwise keeps to itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'static str>,
}

/// The body for the model of this origin.
pub(in crate::openai) fn request<'a>(
    request: &'a ChatRequest,
    origin: &'a Origin,
    effort: Option<ReasoningEffort>,
) -> Request<'a> {
    let model = origin.model();
    let reasons = model_name::reasons(model);
    let effort = effort
        .filter(|_| reasons)
        .map(|wanted| model_name::nearest_effort(model, wanted));
    Request {
        model,
        stream: true,
        store: false,
        // Models that do not reason refuse to include it.
        include: if reasons {
            &["reasoning.encrypted_content"]
        } else {
            &[]
        },
        instructions: request.system.as_deref(),
        input: input(request, origin),
        tools: request.tools.iter().map(tool).collect(),
        max_output_tokens: request
            .max_output_tokens
            .map(|limit| limit.max(LEAST_OUTPUT_TOKENS)),
        temperature: request
            .temperature
            .filter(|_| model_name::takes_temperature(model, effort)),
        reasoning: effort.map(reasoning),
    }
}

fn input<'a>(request: &'a ChatRequest, origin: &Origin) -> Vec<Item<'a>> {
    let mut input = Vec::with_capacity(request.messages.len());
    for turn in turns(&request.messages) {
        match turn {
            Turn::User(message) => input.push(Item::Message {
                role: "user",
                content: message.parts.iter().map(user_part).collect(),
            }),
            Turn::Assistant { message, calls } => {
                let replayed = kept_items(message, origin);
                match replayed {
                    Some(items) => input.extend(items.iter().map(Item::Replayed)),
                    None => input.extend(neutral_items(message)),
                }
                // A result goes out with the id that its call went out with.
                let mut native_ids = replayed.map(call_ids);
                input.extend(calls.into_iter().map(|(call, result)| {
                    let native = native_ids.as_mut().and_then(Iterator::next);
                    Item::FunctionCallOutput {
                        call_id: native.unwrap_or(&call.id),
                        output: tool_text::result(result),
                    }
                }));
            }
        }
    }
    input
}

fn user_part(part: &UserPart) -> Part<'_> {
    match part {
        UserPart::Text(text) => Part::InputText { text },
        UserPart::Media(media) if media.is_image() => Part::InputImage {
            image_url: media.data_url(),
            detail: "auto",
        },
        UserPart::Media(media) => file(media),
    }
}

fn file(media: &Media) -> Part<'_> {
    Part::InputFile {
        // A file without a name is refused.
        filename: media.file_name.as_deref().unwrap_or("file"),
        file_data: media.data_url(),
    }
}

/// The items of a message that was made elsewhere, or holds nothing of ours.
fn neutral_items(message: &AssistantMessage) -> impl Iterator<Item = Item<'_>> {
    message.parts.iter().filter_map(|part| match part {
        AssistantPart::Text(text) if text.is_empty() => None,
        AssistantPart::Text(text) => Some(Item::Message {
            role: "assistant",
            content: vec![Part::OutputText { text }],
        }),
        AssistantPart::ToolCall(call) => Some(Item::FunctionCall {
            call_id: &call.id,
            name: &call.name,
            arguments: &call.arguments,
        }),
    })
}

fn tool(tool: &ToolDeclaration) -> Tool<'_> {
    let ToolDeclaration {
        name,
        description,
        parameters,
    } = tool;
    Tool {
        r#type: "function",
        name,
        description,
        parameters,
        strict: false,
    }
}

fn reasoning(effort: ReasoningEffort) -> Reasoning {
    Reasoning {
        effort: effort.as_str(),
        summary: (effort != ReasoningEffort::None).then_some("auto"),
    }
}
