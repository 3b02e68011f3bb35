//! Limits of single tools, and plug-ins, whose tools join the others.

use std::collections::BTreeMap;
use std::time::Duration;

use patter_tools::{Approval, ToolPolicy};
use secrecy::SecretString;
use serde::Deserialize;

/// What holds for one tool; what is `None` is as for all tools.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ToolConfig {
    /// Which calls wait until a person agrees.
    pub approval: Option<Approval>,
    /// How long one call may take.
    pub timeout: Option<Duration>,
    /// The largest result, in bytes of JSON.
    pub max_result_bytes: Option<usize>,
    /// How many calls one answer may have.
    pub max_calls: Option<usize>,
    /// How many calls may run at the same time in this process.
    pub max_parallel: Option<usize>,
}

impl ToolConfig {
    pub(crate) fn policy(&self) -> ToolPolicy {
        ToolPolicy {
            approval: self.approval,
            timeout: self.timeout,
            max_result_bytes: self.max_result_bytes,
            max_calls: self.max_calls,
            max_parallel: self.max_parallel,
        }
    }
}

/// A server of the Model Context Protocol; [`patter_tools::McpOptions`] tells more.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct McpConfig {
    /// The program that is the server, if it is one that is started here.
    pub command: Option<String>,
    /// Arguments of the program.
    pub args: Vec<String>,
    /// Names of the variables that the program gets.
    pub env: Vec<String>,
    /// Where the server is, if it is asked over HTTP.
    pub url: Option<String>,
    /// The variable that holds the secret.
    pub secret_env: Option<String>,
    /// The header that says it.
    pub secret_header: String,
    /// What that variable held.
    pub secret: Option<SecretString>,
    /// Only these of its tools are offered, if there are any.
    pub tools: Vec<String>,
    /// Which calls wait until a person agrees.
    pub approval: Approval,
    /// How long one call may take.
    pub timeout: Option<Duration>,
    /// The largest result, in bytes of JSON.
    pub max_result_bytes: Option<usize>,
    /// What the variables of `env` hold.
    #[serde(default)]
    pub environment: BTreeMap<String, SecretString>,
}

impl McpConfig {
    pub(crate) fn policy(&self) -> ToolPolicy {
        ToolPolicy {
            approval: Some(self.approval),
            timeout: self.timeout,
            max_result_bytes: self.max_result_bytes,
            ..ToolPolicy::default()
        }
    }
}
