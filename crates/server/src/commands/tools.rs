//! `patter tools`, and `GET /api/tools`: which tools models may call, and within which limits; and one
//! call by hand.

use std::fmt;
use std::time::Duration;

use patter_session::SessionSettings;
use patter_tools::{ToolContext, ToolError, ToolRegistry};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::Instant;
use uuid::Uuid;

use super::table::Table;
use crate::config::Config;
use crate::error::ServerError;
use crate::wiring;

/// What `patter tools` and `GET /api/tools` say.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ToolsReport {
    /// The tools, sorted by name.
    pub tools: Vec<ToolEntry>,
    /// What holds for all of them.
    pub limits: Limits,
}

/// A tool as a model sees it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ToolEntry {
    /// Its name.
    pub name: String,
    /// What it does, in the words that a model is told.
    pub description: String,
    /// Whether a person must agree to each call.
    pub needs_approval: bool,
    /// JSON Schema of its arguments.
    pub parameters: Value,
}

/// What calls may take.
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct Limits {
    /// One call, in milliseconds.
    pub timeout_ms: u64,
    /// One result, in bytes of JSON.
    pub max_result_bytes: usize,
    /// Calls that run at the same time in one answer.
    pub max_parallel: usize,
    /// Calls in one answer.
    pub max_calls: usize,
    /// How often the model is asked in one answer.
    pub max_steps: usize,
}

impl ToolsReport {
    /// Looks at the tools that the configuration switches on.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be offered.
    pub fn new(config: &Config) -> Result<Self, ServerError> {
        let tools = wiring::tools(config)?;
        Ok(Self::of(&tools, &wiring::session_settings(config)))
    }

    /// Looks at the tools of a server.
    pub(crate) fn of(tools: &ToolRegistry, settings: &SessionSettings) -> Self {
        let entry = |name: &str| {
            let tool = tools.get(name)?;
            let spec = tool.spec();
            Some(ToolEntry {
                name: spec.name.clone(),
                description: spec.description.clone(),
                needs_approval: tool.needs_approval(),
                parameters: spec.parameters.clone(),
            })
        };
        let limits = tools.limits();
        Self {
            tools: tools.names().into_iter().filter_map(entry).collect(),
            limits: Limits {
                timeout_ms: u64::try_from(limits.timeout.as_millis()).unwrap_or(u64::MAX),
                max_result_bytes: limits.max_result_bytes,
                max_parallel: settings.max_parallel_tools,
                max_calls: settings.max_tool_calls,
                max_steps: settings.max_steps,
            },
        }
    }
}

/// Calls a tool as a model would, whether or not it needs approval: whoever asks is a person.
///
/// # Errors
///
/// [`ServerError::ToolCall`] with what the tool says, or where `arguments` is not a JSON object.
pub async fn call_tool(config: &Config, name: &str, arguments: &str) -> Result<Value, ServerError> {
    let failed = |source| ServerError::ToolCall {
        tool: name.to_owned(),
        source,
    };
    let arguments: Map<String, Value> = serde_json::from_str(arguments)
        .map_err(|error| ToolError::InvalidArguments(format!("not a JSON object: {error}")))
        .map_err(failed)?;
    // The limits of the registry are shorter.
    let deadline = Instant::now() + Duration::from_secs(24 * 60 * 60);
    let context = ToolContext::new("by-hand", Uuid::now_v7().to_string(), deadline);
    let tools = wiring::tools(config)?;
    let called = tools.call(name, arguments, context).await;
    called.map_err(failed)
}

impl fmt::Display for ToolsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for tool in &self.tools {
            let approval = if tool.needs_approval {
                " (needs approval)"
            } else {
                ""
            };
            writeln!(
                f,
                "{}{approval}\n  {}\n  {}\n",
                tool.name, tool.description, tool.parameters
            )?;
        }
        let Limits {
            timeout_ms,
            max_result_bytes,
            max_parallel,
            max_calls,
            max_steps,
        } = self.limits;
        let mut limits = Table::default();
        for (what, most) in [
            ("one call", format!("{timeout_ms} ms")),
            ("one result", format!("{max_result_bytes} bytes of JSON")),
            (
                "at the same time",
                format!("{max_parallel} calls of one answer"),
            ),
            (
                "one answer",
                format!("{max_calls} calls in {max_steps} steps"),
            ),
        ] {
            limits.row([what.to_owned(), most]);
        }
        write!(f, "{limits}")
    }
}
