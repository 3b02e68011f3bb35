#![doc = include_str!("../README.md")]

mod arguments;
mod calculator;
mod data_fetcher;
mod error;
mod function;
mod registry;
mod tool;

pub use calculator::Calculator;
pub use data_fetcher::DataFetcher;
pub use error::{RegistryError, ToolError, ToolErrorKind};
pub use function::tool;
pub use registry::{ToolLimits, ToolRegistry};
pub use tool::{Tool, ToolContext, ToolSpec};
