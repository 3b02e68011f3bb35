//! What a tool is: a description for the model, and a call.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{ToolError, arguments};

/// What a model is told about a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// A letter or `_`, then up to 63 letters, digits, `_` or `-`.
    pub name: String,
    /// What the tool does and when to use it, in plain words for the model.
    pub description: String,
    /// JSON Schema of the arguments; its root is an object.
    pub parameters: Value,
}

impl ToolSpec {
    /// Describes a tool whose arguments are read into `A`.
    ///
    /// The schema has neither `$schema` nor a title, and no `$ref` unless `A` contains itself.
    /// The doc comments of the fields are their descriptions.
    #[must_use]
    pub fn of<A: JsonSchema>(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            parameters: arguments::schema::<A>(),
        }
    }
}

/// The circumstances of one call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ToolContext {
    /// The session in which the model asked for the call.
    pub session_id: String,
    /// The id of the call, unique in its session.
    pub call_id: String,
    /// When the caller stops waiting. The tool's future is dropped then.
    pub deadline: Instant,
}

impl ToolContext {
    /// Puts the circumstances of a call together.
    pub fn new(
        session_id: impl Into<String>,
        call_id: impl Into<String>,
        deadline: Instant,
    ) -> Self {
        Self {
            session_id: session_id.into(),
            call_id: call_id.into(),
            deadline,
        }
    }
}

/// Something that a model may call.
///
/// Most tools are made from a function by [`tool`](crate::tool()); implement the trait for a tool
/// with a description known only at run time. Call tools through
/// [`ToolRegistry::call`](crate::ToolRegistry::call), which adds what a tool does not do for
/// itself: deadline, size, panics.
#[async_trait]
pub trait Tool: Send + Sync {
    /// The description for the model. Always the same for one tool.
    fn spec(&self) -> &ToolSpec;

    /// Whether a person must agree to each call. No, unless said otherwise.
    fn needs_approval(&self) -> bool {
        false
    }

    /// Runs the tool once. Several calls may run at the same time.
    ///
    /// # Errors
    ///
    /// A [`ToolError`] whose text the model will read.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the deadline passes or the answer is cancelled, at any await.
    /// It must not block: a thread that blocks cannot be stopped.
    async fn call(
        &self,
        arguments: Map<String, Value>,
        context: ToolContext,
    ) -> Result<Value, ToolError>;
}
