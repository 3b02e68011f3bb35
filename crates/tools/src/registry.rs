//! The tools of a conversation, and the safe way to call them.
//!
//! Whatever a tool does, a call ends by its deadline, and its result is one that can be stored,
//! sent, and read back.

mod counts;
mod hygiene;

use std::{collections::BTreeMap, fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, error, error_span};

use crate::{RegistryError, Tool, ToolContext, ToolError, ToolSpec};
use counts::Counts;
pub use counts::ToolCounts;

/// What a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToolLimits {
    /// How long one call may take. 30 seconds.
    pub timeout: Duration,
    /// The largest result, in bytes of JSON. 256 KiB.
    pub max_result_bytes: usize,
}

impl Default for ToolLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            max_result_bytes: 256 * 1024,
        }
    }
}

/// A set of tools with different names. Cloning it is cheap and shares the tools.
#[derive(Clone, Default)]
pub struct ToolRegistry {
    inner: Arc<Inner>,
}

/// Sorted by name, so that a model sees the same list every time and its cache holds.
#[derive(Clone, Default)]
struct Inner {
    tools: BTreeMap<String, Entry>,
    limits: ToolLimits,
}

#[derive(Clone)]
struct Entry {
    tool: Arc<dyn Tool>,
    counts: Arc<Counts>,
}

impl ToolRegistry {
    /// A registry without tools, with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits of every call.
    #[must_use]
    pub fn with_limits(mut self, limits: ToolLimits) -> Self {
        Arc::make_mut(&mut self.inner).limits = limits;
        self
    }

    /// Adds a tool, for a chain of calls.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn with(mut self, tool: impl Tool + 'static) -> Result<Self, RegistryError> {
        self.add(tool)?;
        Ok(self)
    }

    /// Adds a tool. Clones made before do not get it.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when the name is not one that every provider accepts, when it is taken,
    /// or when the arguments are not an object. The registry is as it was then.
    pub fn add(&mut self, tool: impl Tool + 'static) -> Result<&mut Self, RegistryError> {
        let spec = tool.spec();
        let name = spec.name.clone();
        if !is_valid_name(&name) {
            return Err(RegistryError::InvalidName(name));
        }
        if spec.parameters.get("type").and_then(Value::as_str) != Some("object") {
            return Err(RegistryError::NotAnObject(name));
        }
        if self.inner.tools.contains_key(&name) {
            return Err(RegistryError::DuplicateName(name));
        }
        Arc::make_mut(&mut self.inner)
            .tools
            .insert(name, Entry::new(tool));
        Ok(self)
    }

    /// The same with these tools only; a name that it does not have is passed over.
    #[must_use]
    pub fn only(&self, names: &[String]) -> Self {
        let mut inner = Inner::clone(&self.inner);
        inner.tools.retain(|name, _| names.contains(name));
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The tool with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&dyn Tool> {
        self.inner.tools.get(name).map(|entry| &*entry.tool)
    }

    /// The descriptions of all tools, sorted by name.
    #[must_use]
    pub fn specs(&self) -> Vec<&ToolSpec> {
        let entries = self.inner.tools.values();
        entries.map(|entry| entry.tool.spec()).collect()
    }

    /// The names of all tools, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.inner.tools.keys().map(String::as_str).collect()
    }

    /// The limits of every call.
    #[must_use]
    pub fn limits(&self) -> ToolLimits {
        self.inner.limits
    }

    /// What was counted of the calls of each tool, sorted by name.
    #[must_use]
    pub fn counts(&self) -> Vec<(&str, ToolCounts)> {
        let entries = self.inner.tools.iter();
        entries
            .map(|(name, entry)| (name.as_str(), entry.counts.read()))
            .collect()
    }

    /// Whether there is no tool.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.tools.is_empty()
    }

    /// Calls the tool named `name`.
    ///
    /// The call ends at the deadline of the context or after the timeout of the limits, whichever
    /// comes first; the tool is told the earlier one. A panic in the tool ends this call and
    /// nothing else. U+0000, which Postgres cannot hold, becomes U+FFFD in the result and in errors.
    /// Approval is the caller's matter: this runs the tool whatever
    /// [`needs_approval`](Tool::needs_approval) says.
    ///
    /// # Errors
    ///
    /// What the tool says; [`UnknownTool`](ToolError::UnknownTool);
    /// [`Timeout`](ToolError::Timeout); [`TooLarge`](ToolError::TooLarge) and
    /// [`InvalidOutput`](ToolError::InvalidOutput) (nested deeper than 64 levels) for the result;
    /// [`Failed`](ToolError::Failed) for a panic.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the future of the tool.
    pub async fn call(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        context: ToolContext,
    ) -> Result<Value, ToolError> {
        let Some(entry) = self.inner.tools.get(name) else {
            return Err(hygiene::clean_error(ToolError::UnknownTool(
                name.to_owned(),
            )));
        };
        let counting = entry.counts.begin();
        // Of the highest level, so that what is told of a call names it whatever is filtered.
        let span = error_span!("tool", name, call_id = context.call_id);
        let calling = self.call_guarded(&*entry.tool, arguments, context);
        let result = calling.instrument(span).await;
        counting.end(&result);
        result
    }

    async fn call_guarded(
        &self,
        tool: &dyn Tool,
        arguments: Map<String, Value>,
        mut context: ToolContext,
    ) -> Result<Value, ToolError> {
        let limits = self.inner.limits;
        let started = Instant::now();
        let latest = started
            .checked_add(limits.timeout)
            .unwrap_or(context.deadline);
        context.deadline = context.deadline.min(latest);
        let deadline = context.deadline;

        // The inner block also catches a panic before the tool's first await.
        let call = AssertUnwindSafe(async { tool.call(arguments, context).await }).catch_unwind();
        match timeout_at(deadline, call).await {
            Ok(Ok(Ok(result))) => hygiene::clean_result(result, limits.max_result_bytes),
            Ok(Ok(Err(error))) => Err(hygiene::clean_error(error)),
            Ok(Err(_panic)) => {
                error!("a tool panicked");
                Err(ToolError::Failed("the tool panicked".to_owned()))
            }
            Err(_elapsed) => Err(ToolError::Timeout {
                limit: deadline.saturating_duration_since(started),
            }),
        }
    }
}

impl Entry {
    fn new(tool: impl Tool + 'static) -> Self {
        Self {
            tool: Arc::new(tool),
            counts: Arc::default(),
        }
    }
}

impl fmt::Debug for ToolRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolRegistry")
            .field("tools", &self.names())
            .field("limits", &self.inner.limits)
            .finish()
    }
}

/// The names that both Gemini and `OpenAI` accept for a function.
fn is_valid_name(name: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.len() <= 64
        && name.bytes().next().is_some_and(is_first)
        && name
            .bytes()
            .all(|byte| is_first(byte) || byte.is_ascii_digit() || byte == b'-')
}
