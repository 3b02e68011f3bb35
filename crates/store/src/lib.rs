#![doc = include_str!("../README.md")]

mod analytics;
mod archive;
mod error;
mod group_commit;
mod insight;
mod ledger;
mod measures;
mod record;
mod search;
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

pub use analytics::{
    ANALYTICS_BUCKETS, ANALYTICS_ROWS, AnalyticsGroups, AnalyticsQuery, AnalyticsRow, Bucket,
};
pub use archive::{
    ImportedSession, ListQuery, MAX_METADATA_BYTES, METRICS_KEY, SessionArchive, SessionList,
    SessionPosition,
};
pub use error::StoreError;
pub use group_commit::EventWriter;
pub use insight::Insight;
pub use ledger::{Account, Booked, Cap, Correction, Ledger, Line, Spend};
pub use measures::{METRICS, PoolUsage};
#[cfg(feature = "postgres")]
pub use postgres::{Migrate, PostgresOptions, PostgresQuery, PostgresStore, QueryRows};
pub use record::{
    Append, Appended, Claimed, EventQuery, Fence, Lease, NewEvent, NewSession, Owner, Renewal,
    SessionRecord, StoredEvent, SummaryJob, SummaryTries, Swept,
};
pub use search::{
    ExcerptPart, SEARCH_CANDIDATES, SEARCH_HITS, SEARCH_TEXT_CHARS, SearchCursor, SearchHit,
    SearchPage, SearchQuery,
};
pub use spool::{Kept, Spool, SpoolUsage};
#[cfg(feature = "spool")]
pub use spool::{SpoolOptions, SqliteSpool};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use store::SessionStore;
