//! The table of all keys. Reading, checking, `.env.example` and the reference in
//! `docs/configuration.md` are made from it; `lookup.rs` finds keys in it. A key stands here only
//! if it has an effect.

mod auth;
mod budgets;
mod data_sources;
mod limits;
mod model;
mod operations;
mod providers;
mod retention;
mod routes;
mod server;
mod session;
mod tools;

use super::key::Section;
use super::kind::Kind;

/// Every key, in the order of the documentation.
pub(crate) static SECTIONS: &[Section] = &[
    server::SERVER,
    auth::AUTH,
    auth::TOKENS,
    limits::LIMITS,
    server::STORE,
    server::SEARCH,
    model::MODEL,
    providers::GEMINI,
    providers::OPENAI,
    providers::PROVIDERS,
    providers::DEMO,
    providers::MODELS,
    routes::ROUTES,
    routes::CLASSIFIER,
    session::SESSIONS,
    budgets::BUDGETS,
    retention::RETENTION,
    tools::TOOLS,
    tools::TOOL,
    tools::MCP,
    data_sources::DATA_SOURCES,
    data_sources::SQL_SOURCES,
    data_sources::WEB,
    operations::LOGS,
    operations::TRACES,
    operations::ADMIN,
];

const fn seconds(min: f64, max: f64) -> Kind {
    Kind::Seconds { min, max }
}

const fn integer(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max }
}
