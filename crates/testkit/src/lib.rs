#![doc = include_str!("../README.md")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a fake that cannot do its part fails the test"
)]

pub mod failing_store;
pub mod insight_conformance;
pub mod ledger_conformance;
pub mod memory_ledger;
pub mod memory_spool;
pub mod memory_store;
pub mod model_server;
pub mod mutated;
pub mod postgres;
pub mod scripted_model;
pub mod server_process;
pub mod spool_conformance;
pub mod store_conformance;
pub mod ws_client;
