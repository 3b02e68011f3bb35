#![doc = include_str!("../README.md")]

mod breaker;
mod catalog;
mod clean;
mod conversation;
mod deadline;
mod decode;
mod demo;
mod effort;
mod error;
mod event;
mod failover;
mod first_event;
mod gemini;
mod halves;
mod http;
mod media;
mod message;
mod model;
mod openai;
mod origin;
mod report;
mod request;
mod retry;
mod route;
mod settings;
mod sse;
mod tokens;
mod trace;
mod windowed;

pub use breaker::{
    BreakerPolicy, Circuit, CircuitBreaker, CircuitState, CircuitStatus, CircuitTotals,
};
pub use catalog::{Catalog, ModelInfo, Price, rounded_usd};
pub use demo::Demo;
pub use effort::ReasoningEffort;
pub use error::{LlmError, TimeoutPhase};
pub use event::{FinishReason, ModelEvent, Usage};
pub use failover::Failover;
pub use gemini::Gemini;
pub use media::Media;
pub use message::{
    AssistantMessage, AssistantPart, Message, ProviderData, ToolCall, ToolResult, UserMessage,
    UserPart,
};
pub use model::{Answer, ChatModel};
pub use openai::OpenAi;
pub use request::{ChatRequest, ToolDeclaration};
pub use retry::{Retry, RetryBudget, RetryPolicy};
pub use route::{
    Choice, Classification, Classifier, ClassifierSettings, ClassifierUse, Conditions, Explanation,
    Finding, Route, RouteExplanation, RouteFault, Router, RouterError, Situation,
};
pub use settings::{Api, SchemaForm, Settings, Timeouts};
pub use tokens::{TokenCounter, Tokenizer};
pub use trace::Traced;
pub use windowed::{Window, Windowed};
