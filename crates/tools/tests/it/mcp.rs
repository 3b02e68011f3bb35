//! Servers of the Model Context Protocol as tools.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

mod bench;
mod http;
mod offers;
mod trouble;
