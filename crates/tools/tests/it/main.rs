//! Tools as a model calls them: what the registry makes of calls and answers, the tools that come with it, those
//! that have their data from files and from the web, and those of other programs.

mod calculator;
mod calculator_tables;
mod data_fetcher;
#[cfg(feature = "files")]
mod file_source;
mod fuzz;
#[cfg(feature = "web")]
mod http_source;
#[cfg(feature = "mcp")]
mod mcp;
mod registry;
mod registry_policy;
mod registry_schema;
