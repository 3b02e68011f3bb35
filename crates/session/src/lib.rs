#![doc = include_str!("../README.md")]

mod attachment;
mod budget;
mod command;
mod conversation;
mod error;
mod frame;
mod handle;
mod late_summary;
mod leases;
mod live;
mod manager;
mod measures;
mod metrics;
mod origin;
mod plan;
mod reader;
mod resources;
mod session;
mod settings;
mod shown_result;
mod summary;
mod sweeper;
mod turn;
mod waypoint;

pub use attachment::{After, Attachment, Delivery};
pub use budget::{Allowance, Budgets, Spender, Usage};
pub use command::{Receipt, Refusal};
pub use error::SessionError;
pub use frame::Frame;
pub use handle::SessionHandle;
pub use live::LiveSession;
pub use manager::{OpenOptions, SessionManager, SessionManagerBuilder};
pub use measures::METRICS;
pub use plan::Plan;
pub use settings::SessionSettings;
