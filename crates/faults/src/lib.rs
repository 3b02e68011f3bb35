#![doc = include_str!("../README.md")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a harness that cannot do its part fails the test"
)]

pub mod bouncer;
pub mod client;
pub mod cluster;
pub mod figures;
pub mod history;
pub mod model;
pub mod moment;
pub mod node;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod script;
pub mod tables;
pub mod verify;
