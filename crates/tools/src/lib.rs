#![doc = include_str!("../README.md")]

mod arguments;
mod calculator;
mod data_fetcher;
mod error;
#[cfg(feature = "files")]
mod file_source;
mod function;
#[cfg(feature = "web")]
mod http_source;
#[cfg(feature = "mcp")]
mod mcp;
mod progress;
mod registry;
#[cfg(feature = "web")]
mod secrets;
pub mod text_parameters;
mod tool;
mod trace;
#[cfg(feature = "web")]
mod web;

pub use calculator::Calculator;
pub use data_fetcher::DataFetcher;
pub use error::{RegistryError, ToolError, ToolErrorKind};
#[cfg(feature = "files")]
pub use file_source::{FileSource, FileSourceError};
pub use function::tool;
#[cfg(feature = "web")]
pub use http_source::{HttpSource, HttpSourceError, HttpSourceOptions};
#[cfg(feature = "mcp")]
pub use mcp::{McpOptions, McpServer, McpState, McpTransport};
pub use progress::{Progress, ToolProgress};
pub use registry::{Approval, ToolCounts, ToolLimits, ToolPolicy, ToolRegistry};
pub use tool::{Tool, ToolContext, ToolSpec};
#[cfg(feature = "web")]
pub use web::{WebClient, WebLimits, WebRules};
