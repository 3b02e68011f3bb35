//! A [`ChatRequest`] as the body of a Chat Completions request.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::conversation::{Turn, turns};
use crate::effort::ReasoningEffort;
use crate::media::Media;
use crate::message::{AssistantMessage, ToolResult, UserMessage, UserPart};
use crate::openai::chat::dialect::Dialect;
use crate::openai::chat::replay::{Kept, kept};
use crate::openai::{model_name, tool_text};
use crate::request::{ChatRequest, ToolDeclaration};

/// What Gemini's compatible endpoint takes in place of the signature of a call that another model
/// made (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
static STAND_IN: LazyLock<Value> =
    LazyLock::new(|| json!({"google": {"thought_signature": "skip_thought_signature_validator"}}));

/// Stands for the thoughts of a step that has none. An empty text counts as missing with some models.
static NO_THOUGHT: LazyLock<Value> = LazyLock::new(|| json!(" "));

#[derive(Debug, Serialize)]
pub(in crate::openai) struct Request<'a> {
    model: &'a str,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
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
        #[serde(skip_serializing_if = "Option::is_none")]
        reasoning_content: Option<&'a Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reasoning_details: Option<&'a Value>,
    },
    Tool {
        tool_call_id: Cow<'a, str>,
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
    id: Cow<'a, str>,
    r#type: &'static str,
    function: Function<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<&'a Value>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(serialize_with = "tool_text::arguments")]
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
    dialect: &Dialect,
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
                let kept = kept(message, &dialect.origin);
                let first_number = dialect.numbers_calls().then_some(messages.len());
                let ids = ids(message, kept, first_number);
                messages.extend(assistant(message, &ids, kept, dialect));
                messages.extend(
                    ids.into_iter()
                        .zip(calls)
                        .map(|(id, (_, result))| tool_result(id, result)),
                );
            }
        }
    }
    let limit = request.max_output_tokens;
    let effort = dialect.effort(!request.tools.is_empty());
    Request {
        model,
        stream: true,
        stream_options: (!dialect.counts_unasked()).then_some(StreamOptions {
            include_usage: true,
        }),
        messages,
        tools: request.tools.iter().map(tool).collect(),
        max_completion_tokens: limit.filter(|_| dialect.has_completion_limit()),
        max_tokens: limit.filter(|_| !dialect.has_completion_limit()),
        temperature: request
            .temperature
            .filter(|_| model_name::takes_temperature(model, effort)),
        reasoning_effort: effort.map(ReasoningEffort::as_str),
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

/// The ids that the calls of a message go out with: numbers from the first one on, if there is
/// one, else those that the server gave, to which what was kept may refer.
fn ids<'a>(
    message: &'a AssistantMessage,
    kept: Option<Kept<'a>>,
    first_number: Option<usize>,
) -> Vec<Cow<'a, str>> {
    message
        .tool_calls()
        .enumerate()
        .map(|(place, call)| match first_number {
            Some(first) => Cow::Owned(format!("{:09}", first + place)),
            None => Cow::Borrowed(kept.and_then(|kept| kept.id(place)).unwrap_or(&call.id)),
        })
        .collect()
}

/// Nothing where the model neither said nor called anything: an empty message is refused by some.
fn assistant<'a>(
    message: &'a AssistantMessage,
    ids: &[Cow<'a, str>],
    kept: Option<Kept<'a>>,
    dialect: &Dialect,
) -> Option<Message<'a>> {
    // Only the first call of a step is checked.
    let mut stand_in: Option<&Value> = (dialect.signed_calls && kept.is_none()).then(|| &*STAND_IN);
    let tool_calls: Vec<_> = message
        .tool_calls()
        .zip(ids)
        .enumerate()
        .map(|(place, (call, id))| Call {
            id: id.clone(),
            r#type: "function",
            function: Function {
                name: &call.name,
                arguments: &call.arguments,
            },
            extra_content: kept
                .and_then(|kept| kept.extra_content(place))
                .or(stand_in.take()),
        })
        .collect();
    let text = message.joined_text();
    let content = Some(text).filter(|text| !text.is_empty());
    let is_empty = content.is_none() && tool_calls.is_empty();
    (!is_empty).then_some(Message::Assistant {
        content,
        tool_calls,
        reasoning_content: kept
            .and_then(|kept| kept.reasoning_content)
            .or(dialect.misses_reasoning().then_some(&NO_THOUGHT)),
        reasoning_details: kept.and_then(|kept| kept.reasoning_details),
    })
}

fn tool_result<'a>(id: Cow<'a, str>, result: Option<&'a ToolResult>) -> Message<'a> {
    Message::Tool {
        tool_call_id: id,
        content: tool_text::result(result),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{AssistantPart, ToolCall};
    use reqwest::Url;

    /// A step with two calls that nobody signed, as it goes to this server.
    fn sent(base: &str, model: &str) -> Value {
        let call = |id: &str| {
            AssistantPart::ToolCall(ToolCall {
                id: id.into(),
                name: "f".into(),
                arguments: Map::new(),
            })
        };
        let request = ChatRequest::new()
            .user("Hi")
            .assistant(AssistantMessage {
                parts: vec![call("a"), call("b")],
                provider_data: None,
            })
            .max_output_tokens(9);
        let dialect = Dialect::of(&Url::parse(base).unwrap(), model, None);
        serde_json::to_value(super::request(&request, model, &dialect)).unwrap()
    }

    #[test]
    fn the_first_call_of_another_model_gets_a_stand_in_at_gemini_alone() {
        let google = "https://generativelanguage.googleapis.com/v1beta/openai";
        let calls = sent(google, "gemini-3.5-flash")["messages"][1]["tool_calls"].clone();
        let stand_in = json!({"google": {"thought_signature": "skip_thought_signature_validator"}});
        assert_eq!(calls[0]["extra_content"], stand_in);
        assert_eq!(calls[1].get("extra_content"), None);
        let elsewhere = sent("https://openrouter.ai/api/v1", "google/gemini-3.5-flash");
        assert!(!elsewhere.to_string().contains("extra_content"));
    }

    #[test]
    fn mistral_gets_ids_that_it_takes_and_is_not_asked_to_count() {
        let sent = sent("https://api.mistral.ai/v1", "mistral-large-latest");
        assert_eq!(sent.get("stream_options"), None);
        let ids = sent.pointer("/messages/1/tool_calls").unwrap();
        assert_eq!(ids[0]["id"], "000000001");
        assert_eq!(ids[1]["id"], "000000002");
        assert_eq!(sent["messages"][2]["tool_call_id"], "000000001");
        assert_eq!(sent["messages"][3]["tool_call_id"], "000000002");
    }

    #[test]
    fn deepseek_misses_no_thoughts_of_another_model() {
        let sent = sent("https://api.deepseek.com", "deepseek-v4-flash");
        assert_eq!(sent["messages"][1]["reasoning_content"], " ");
    }

    #[test]
    fn the_limit_goes_by_the_name_that_the_server_takes() {
        let azure = sent("https://mine.openai.azure.com/openai/v1", "mine");
        assert_eq!(azure["max_completion_tokens"], 9);
        assert_eq!(azure.get("max_tokens"), None);
        let ollama = sent("http://127.0.0.1:11434/v1", "qwen3");
        assert_eq!(ollama["max_tokens"], 9);
        assert_eq!(ollama.get("max_completion_tokens"), None);
    }
}
