//! The stores and the spools, each by the suite that all of its kind pass and by what only it can do; and group
//! commit in front of them. What starts processes is in `processes` beside this.

mod group_commit;
mod memory;
#[cfg(feature = "needs-postgres")]
mod postgres;
#[cfg(feature = "spool")]
mod spool;
#[cfg(feature = "spool")]
mod spool_model;
#[cfg(feature = "sqlite")]
mod sqlite;
