//! `patter tools`, and `GET /api/tools`: which tools models may call, and within which limits; and one
//! call by hand.

use std::fmt;
use std::time::Duration;

use patter_session::SessionSettings;
use patter_tools::{McpState, ToolContext, ToolError, ToolPolicy, ToolRegistry};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::Instant;
use uuid::Uuid;

use super::table::Table;
use crate::config::Config;
use crate::error::ServerError;
use crate::wiring::{self, Plugins};

/// Somebody waits for it who has a plug-in downloaded for the first time.
const PLUGIN_PATIENCE: Duration = Duration::from_secs(60);

/// What `patter tools` and `GET /api/tools` say.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Tools")]
#[non_exhaustive]
pub struct ToolsReport {
    /// The tools, sorted by name.
    pub tools: Vec<ToolEntry>,
    /// What holds for all of them.
    pub limits: Limits,
}

/// A tool as a model sees it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Tool")]
#[non_exhaustive]
pub struct ToolEntry {
    /// Its name.
    pub name: String,
    /// What it does, in the words that a model is told.
    pub description: String,
    /// Whether a person must agree to each call.
    pub needs_approval: bool,
    /// What holds for this tool and not for all.
    pub limits: OwnLimits,
    /// JSON Schema of its arguments.
    pub parameters: Value,
}

/// What one tool may take; what is left out is as for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OwnToolLimits")]
#[non_exhaustive]
pub struct OwnLimits {
    /// One call, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// One result, in bytes of JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_result_bytes: Option<usize>,
    /// Calls that run at the same time in the whole process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<usize>,
    /// Calls in one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_calls: Option<usize>,
}

impl OwnLimits {
    fn of(policy: ToolPolicy) -> Self {
        Self {
            timeout_ms: policy.timeout.map(millis),
            max_result_bytes: policy.max_result_bytes,
            max_parallel: policy.max_parallel,
            max_calls: policy.max_calls,
        }
    }
}

impl fmt::Display for OwnLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timeout = self.timeout_ms.map(|it| format!("{it} ms"));
        let bytes = self
            .max_result_bytes
            .map(|it| format!("{it} bytes of JSON"));
        let parallel = self.max_parallel.map(|it| format!("{it} at the same time"));
        let calls = self.max_calls.map(|it| format!("{it} calls in one answer"));
        let limits: Vec<_> = [timeout, bytes, parallel, calls]
            .into_iter()
            .flatten()
            .collect();
        f.write_str(&limits.join(", "))
    }
}

/// What calls may take.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "ToolLimits")]
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
    /// Looks at the tools that the configuration switches on, those of plug-ins too, which are started for
    /// that.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be offered, or a plug-in is not there.
    pub async fn new(config: &Config) -> Result<Self, ServerError> {
        let settings = wiring::session_settings(config);
        with_tools(config, async |tools| Ok(Self::of(&tools, &settings))).await
    }

    /// Looks at the tools of a server.
    pub(crate) fn of(tools: &ToolRegistry, settings: &SessionSettings) -> Self {
        let entry = |name: &str| {
            let tool = tools.get(name)?;
            let spec = tool.spec();
            Some(ToolEntry {
                name: spec.name.clone(),
                description: spec.description.clone(),
                needs_approval: tools.needs_approval(name),
                limits: OwnLimits::of(tools.policy(name)),
                parameters: spec.parameters.clone(),
            })
        };
        let limits = tools.limits();
        Self {
            tools: tools
                .names()
                .iter()
                .filter_map(|name| entry(name))
                .collect(),
            limits: Limits {
                timeout_ms: millis(limits.timeout),
                max_result_bytes: limits.max_result_bytes,
                max_parallel: settings.max_parallel_tools,
                max_calls: settings.max_tool_calls,
                max_steps: settings.max_steps,
            },
        }
    }
}

/// What a stranger wrote, without what a terminal would obey or turn round.
fn printable(text: &str) -> String {
    let turns = |it: char| matches!(it, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if (character.is_control() && character != '\n') || turns(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
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
    let mut config = config.clone();
    // Of the plug-ins, the one that has the tool will do.
    let has_it = |server: &str| name.starts_with(&format!("{server}__"));
    config.mcp.retain(|server, _| has_it(server));
    with_tools(&config, async |tools| {
        let called = tools.call(name, arguments, context).await;
        called.map_err(failed)
    })
    .await
}

/// Does something with the tools while their plug-ins run.
async fn with_tools<T>(
    config: &Config,
    act: impl AsyncFnOnce(ToolRegistry) -> Result<T, ServerError>,
) -> Result<T, ServerError> {
    let tools = wiring::tools(config)?;
    let plugins = Plugins::start(config, &tools)?;
    let done = match plugins.settled(PLUGIN_PATIENCE).await.as_slice() {
        [] => act(tools).await,
        [(name, state), ..] => Err(ServerError::PluginDown {
            name: (*name).to_owned(),
            why: match state {
                McpState::Down(why) => printable(why),
                McpState::Starting | McpState::Up => "it takes too long to start".to_owned(),
            },
        }),
    };
    plugins.shutdown().await;
    done
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
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
                "{}{approval}\n  {}",
                tool.name,
                printable(&tool.description)
            )?;
            let limits = tool.limits.to_string();
            if !limits.is_empty() {
                writeln!(f, "  at most {limits}")?;
            }
            writeln!(f, "  {}\n", printable(&tool.parameters.to_string()))?;
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
