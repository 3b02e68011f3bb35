//! What a tool is: a description for the model, and a call.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{ToolError, ToolProgress, arguments};

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
    /// Takes how far the call is.
    pub progress: ToolProgress,
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
            progress: ToolProgress::default(),
        }
    }

    /// Has somebody told how far the call is.
    #[must_use]
    pub fn with_progress(mut self, progress: ToolProgress) -> Self {
        self.progress = progress;
        self
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

    /// Whether a call may change something, so that a person must agree to it unless the
    /// [policy](crate::ToolPolicy) says otherwise. No, unless said otherwise.
    fn writes(&self) -> bool {
        false
    }

    /// Whether the tool checks its arguments itself, unknown ones included, as tools made by
    /// [`tool`](crate::tool()) do. Otherwise the registry holds them against the schema before each call.
    fn checks_arguments(&self) -> bool {
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
