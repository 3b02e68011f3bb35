#![doc = include_str!("../README.md")]

pub mod clock;
pub mod figures;
pub mod floor;
pub mod ground;
pub mod load;
pub mod plot;
pub mod process;
pub mod report;
pub mod run;
pub mod scenario;
pub mod server;
pub mod store;
pub mod upstream;
pub mod usage;
