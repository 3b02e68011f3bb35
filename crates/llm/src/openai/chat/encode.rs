//! A [`ChatRequest`] as the body of a Chat Completions request.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::conversation::{NO_RESULT, Turn, turns};
use crate::media::Media;
use crate::message::{AssistantMessage, ToolCall, ToolResult, UserMessage, UserPart};
use crate::request::{ChatRequest, ToolDeclaration};

/// In what the servers differ.
#[derive(Debug, Clone, Copy)]
pub(in crate::openai) struct Dialect {
    /// OpenAI refuses `max_tokens` for most of its models, the others know nothing else.
    completion_limit: bool,
    /// From GPT-5.4 on, tools are refused here unless reasoning is switched off in words.
    no_reasoning_with_tools: bool,
}

impl Dialect {
    pub(in crate::openai) fn of(host: &str, model: &str) -> Self {
        Self {
            completion_limit: host == "api.openai.com",
            no_reasoning_with_tools: refuses_reasoning_with_tools(model),
        }
    }
}

#[derive(Debug, Serialize)]
pub(in crate::openai) struct Request<'a> {
    model: &'a str,
    stream: bool,
    stream_options: StreamOptions,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// Plain texts wherever there is nothing but text: many servers take no lists of parts.
#[derive(Debug, Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
enum Message<'a> {
    System {
        content: &'a str,
    },
    User {
        content: UserContent<'a>,
    },
    Assistant {
        content: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: Cow<'a, str>,
    },
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum UserContent<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

/// See <https://platform.openai.com/docs/guides/images> and
/// <https://platform.openai.com/docs/guides/pdf-files>.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrl },
    File { file: File<'a> },
}

#[derive(Debug, Serialize)]
struct ImageUrl {
    url: String,
}

#[derive(Debug, Serialize)]
struct File<'a> {
    filename: &'a str,
    file_data: String,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(serialize_with = "as_text")]
    arguments: &'a Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Declaration<'a>,
}

#[derive(Debug, Serialize)]
struct Declaration<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
}

/// The body for the given model.
pub(in crate::openai) fn request<'a>(
    request: &'a ChatRequest,
    model: &'a str,
    dialect: Dialect,
) -> Request<'a> {
    let mut messages = Vec::with_capacity(request.messages.len() + 1);
    messages.extend(
        request
            .system
            .as_deref()
            .map(|content| Message::System { content }),
    );
    for turn in turns(&request.messages) {
        match turn {
            Turn::User(message) => messages.push(Message::User {
                content: user_content(message),
            }),
            Turn::Assistant { message, calls } => {
                messages.extend(assistant(message));
                messages.extend(
                    calls
                        .into_iter()
                        .map(|(call, result)| tool_result(call, result)),
                );
            }
        }
    }
    let limit = request.max_output_tokens;
    let silent = dialect.no_reasoning_with_tools && !request.tools.is_empty();
    Request {
        model,
        stream: true,
        stream_options: StreamOptions {
            include_usage: true,
        },
        messages,
        tools: request.tools.iter().map(tool).collect(),
        max_completion_tokens: limit.filter(|_| dialect.completion_limit),
        max_tokens: limit.filter(|_| !dialect.completion_limit),
        temperature: request.temperature,
        reasoning_effort: silent.then_some("none"),
    }
}

fn user_content(message: &UserMessage) -> UserContent<'_> {
    let is_media = |part: &UserPart| matches!(part, UserPart::Media(_));
    if message.parts.iter().any(is_media) {
        UserContent::Parts(message.parts.iter().map(user_part).collect())
    } else {
        UserContent::Text(message.joined_text())
    }
}

fn user_part(part: &UserPart) -> Part<'_> {
    match part {
        UserPart::Text(text) => Part::Text { text },
        UserPart::Media(media) if media.is_image() => Part::ImageUrl {
            image_url: ImageUrl {
                url: media.data_url(),
            },
        },
        UserPart::Media(media) => Part::File { file: file(media) },
    }
}

fn file(media: &Media) -> File<'_> {
    File {
        // A file without a name is refused.
        filename: media.file_name.as_deref().unwrap_or("file"),
        file_data: media.data_url(),
    }
}

/// Nothing where the model neither said nor called anything: an empty message is refused by some.
fn assistant(message: &AssistantMessage) -> Option<Message<'_>> {
    let tool_calls: Vec<_> = message
        .tool_calls()
        .map(|call| Call {
            id: &call.id,
            r#type: "function",
            function: Function {
                name: &call.name,
                arguments: &call.arguments,
            },
        })
        .collect();
    let text = message.joined_text();
    let content = Some(text).filter(|text| !text.is_empty());
    let is_empty = content.is_none() && tool_calls.is_empty();
    (!is_empty).then_some(Message::Assistant {
        content,
        tool_calls,
    })
}

fn tool_result<'a>(call: &'a ToolCall, result: Option<&'a ToolResult>) -> Message<'a> {
    let content = match result.map(|result| &result.outcome) {
        Some(Ok(Value::String(text))) => Cow::Borrowed(text.as_str()),
        Some(Ok(value)) => Cow::Owned(value.to_string()),
        Some(Err(error)) => Cow::Owned(json!({"error": error}).to_string()),
        None => Cow::Owned(json!({"error": NO_RESULT}).to_string()),
    };
    Message::Tool {
        tool_call_id: &call.id,
        content,
    }
}

fn tool(tool: &ToolDeclaration) -> Tool<'_> {
    let ToolDeclaration {
        name,
        description,
        parameters,
    } = tool;
    Tool {
        r#type: "function",
        function: Declaration {
            name,
            description,
            parameters,
        },
    }
}

/// The API wants the arguments as a text that holds JSON.
fn as_text<S: Serializer>(
    arguments: &&Map<String, Value>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = serde_json::to_string(arguments).map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}

fn refuses_reasoning_with_tools(model: &str) -> bool {
    // Gateways write `openai/gpt-6-luna`.
    let name = model.rsplit('/').next().unwrap_or(model);
    let Some(version) = name.strip_prefix("gpt-") else {
        return false;
    };
    let version = version.split('-').next().unwrap_or(version);
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    match (major.parse::<u32>(), minor.parse::<u32>()) {
        (Ok(major), Ok(minor)) => (major, minor) >= (5, 4),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::refuses_reasoning_with_tools;

    #[test]
    fn reasoning_is_switched_off_from_5_4_on() {
        for model in [
            "gpt-5.4",
            "gpt-5.6-luna",
            "gpt-6-luna",
            "gpt-6.1-sol",
            "openai/gpt-6-luna",
        ] {
            assert!(refuses_reasoning_with_tools(model), "{model}");
        }
        for model in [
            "gpt-4o-mini",
            "gpt-4.1",
            "gpt-5",
            "gpt-5.1",
            "gpt-oss-120b",
            "qwen3",
        ] {
            assert!(!refuses_reasoning_with_tools(model), "{model}");
        }
    }
}
