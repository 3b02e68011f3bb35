//! What the commands of the binary say that look at models and routes: data first, then text for
//! a terminal or JSON. No command here opens the store.

mod models;
mod route;
mod table;

pub use models::ModelsReport;
pub use route::{Question, RouteReport};
