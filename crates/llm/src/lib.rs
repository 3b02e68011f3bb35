#![doc = include_str!("../README.md")]

mod clean;
mod conversation;
mod decode;
mod demo;
mod effort;
mod error;
mod event;
mod gemini;
mod http;
mod media;
mod message;
mod model;
mod openai;
mod report;
mod request;
mod settings;
mod sse;

pub use demo::Demo;
pub use effort::ReasoningEffort;
pub use error::{LlmError, TimeoutPhase};
pub use event::{FinishReason, ModelEvent, Usage};
pub use gemini::Gemini;
pub use media::Media;
pub use message::{
    AssistantMessage, AssistantPart, Message, ProviderData, ToolCall, ToolResult, UserMessage,
    UserPart,
};
pub use model::{Answer, ChatModel};
pub use openai::OpenAi;
pub use request::{ChatRequest, ToolDeclaration};
pub use settings::{Api, SchemaForm, Settings, Timeouts};
