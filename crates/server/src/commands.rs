//! What the commands of the binary say that look at models, routes and tools: data first, then text for
//! a terminal or JSON. Of the commands here `sessions` alone opens the store.

mod models;
mod route;
mod sessions;
mod table;
mod token;
mod tools;

pub use models::ModelsReport;
pub use route::{Question, RouteReport};
pub use sessions::sessions;
pub use token::NewToken;
pub use tools::{Limits, ToolEntry, ToolsReport, call_tool};
