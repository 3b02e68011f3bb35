//! The backends, asked through [`patter_llm::ChatModel`], against a local server.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by failing"
)]

mod breaker;
mod catalog;
mod connection;
mod demo;
mod failover;
mod fault_table;
mod faults;
mod fixtures;
mod halves;
mod kept_by_chat;
#[cfg(feature = "needs-recordings")]
mod recordings;
mod requests;
mod responses;
mod retry;
mod route;
mod samples;
mod support;
mod tokens;
mod windowed;
mod wrappers;
