//! The trait for what is asked about all that was said: search and figures.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::analytics::{AnalyticsQuery, AnalyticsRow};
use crate::error::StoreError;
use crate::search::{SearchPage, SearchQuery};

/// What a store can tell about all sessions at once. The log is not touched: both answers come from
/// tables that are kept beside it, in the transaction that changes it. A session that is deleted is
/// in neither any more.
///
/// The suite of `patter-testkit` (`insight_conformance`) holds every store to this. Each call has a
/// deadline of its own and ends with [`StoreError::Unavailable`] when that has passed.
#[async_trait]
pub trait Insight: Debug + Send + Sync {
    /// Finds what was said: messages of users, answers, and summaries of sessions. What tools were
    /// asked and said is not searched, nor what is [private](crate::NewEvent::private).
    ///
    /// All that the log has is found: a message that a later one replaced and an answer that was
    /// superseded too, since the log goes on to show them.
    ///
    /// Best first, and of equals the one that was stored last. Of a text that matches more than
    /// [`SEARCH_CANDIDATES`](crate::SEARCH_CANDIDATES) events, those that were stored last are ranked
    /// and found, and no others. (A store may look for words in a row only in some thousand events that
    /// have all of them, those stored last.) Following [`SearchPage::next`], a reader gets each of them once, also
    /// while more is stored.
    ///
    /// No text is an error: what has no word in it, or only words that must not be there, finds
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn search(&self, query: SearchQuery) -> Result<SearchPage, StoreError>;

    /// Counts what happened, for each bucket of time and each group in which something did: in the
    /// order of time, then of provider, model and route.
    ///
    /// # Errors
    ///
    /// [`StoreError::Rejected`] with the reason, for a person, where the range is none or too long
    /// ([`ANALYTICS_BUCKETS`](crate::ANALYTICS_BUCKETS)) or the answer would be
    /// ([`ANALYTICS_ROWS`](crate::ANALYTICS_ROWS)); [`StoreError::Unavailable`],
    /// [`StoreError::Corrupt`].
    async fn analytics(&self, query: AnalyticsQuery) -> Result<Vec<AnalyticsRow>, StoreError>;
}

/// A store that several callers share.
#[async_trait]
impl<S: Insight + ?Sized> Insight for Arc<S> {
    async fn search(&self, query: SearchQuery) -> Result<SearchPage, StoreError> {
        (**self).search(query).await
    }

    async fn analytics(&self, query: AnalyticsQuery) -> Result<Vec<AnalyticsRow>, StoreError> {
        (**self).analytics(query).await
    }
}
