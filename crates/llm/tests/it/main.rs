//! The backends, asked through [`patter_llm::ChatModel`], against a local server.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by failing"
)]

mod connection;
mod demo;
mod faults;
mod fixtures;
#[cfg(feature = "needs-recordings")]
mod recordings;
mod requests;
mod support;
