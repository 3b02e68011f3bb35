#![doc = include_str!("../README.md")]

mod clean;
mod conversation;
mod decode;
mod demo;
mod error;
mod event;
mod gemini;
mod http;
mod message;
mod model;
mod openai;
mod report;
mod request;
mod settings;
mod sse;

pub use demo::Demo;
pub use error::{LlmError, TimeoutPhase};
pub use event::{FinishReason, ModelEvent, Usage};
pub use gemini::Gemini;
pub use message::{AssistantMessage, AssistantPart, Message, ProviderData, ToolCall, ToolResult};
pub use model::{Answer, ChatModel};
pub use openai::OpenAi;
pub use request::{ChatRequest, ToolDeclaration};
pub use settings::{Settings, Timeouts};
