#![doc = include_str!("../README.md")]

mod admin;
mod admission;
mod assets;
mod auth;
pub mod cli;
pub mod commands;
pub mod config;
mod error;
mod export;
mod http;
mod limits;
pub mod metrics;
pub mod plain;
mod retention;
#[cfg(feature = "sabotage")]
mod sabotage;
mod server;
mod shutdown;
mod sql_source;
pub mod telemetry;
mod wiring;
mod ws;

pub use config::Config;
pub use error::ServerError;
pub use export::{ExportFormat, ImportError, ImportProblem};
pub use server::{Certificates, Server, TlsError};
pub use shutdown::Shutdown;
