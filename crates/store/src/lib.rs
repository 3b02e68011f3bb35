#![doc = include_str!("../README.md")]

mod error;
mod group_commit;
mod measures;
mod record;
mod spool;
mod store;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod append;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod deadline;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod encode;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use error::StoreError;
pub use group_commit::EventWriter;
pub use measures::{METRICS, PoolUsage};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresQuery, PostgresStore, QueryRows};
pub use record::{
    Append, Appended, Claimed, EventQuery, Fence, Lease, NewEvent, NewSession, Owner, Renewal,
    SessionRecord, StoredEvent, SummaryJob, SummaryTries, Swept,
};
pub use spool::{Kept, Spool, SpoolUsage};
#[cfg(feature = "spool")]
pub use spool::{SpoolOptions, SqliteSpool};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use store::SessionStore;
