//! The connections of a store, none of which is lost to the pool for long.
//!
//! Before a connection goes back to its pool, sqlx pings it, without a deadline: one that leads
//! nowhere would be missing for as long as TCP waits, a quarter of an hour. Here it is closed
//! instead, and a new one can take its place.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::error::from_sqlx;
use crate::error::StoreError;

/// How long a connection may take to answer when a call has ended with it, or has been given up
/// in the middle.
const RETURN_DEADLINE: Duration = Duration::from_secs(1);

/// A pool, and the connections that are on their way back to it.
#[derive(Clone)]
pub(super) struct Connections {
    pool: PgPool,
    returning: TaskTracker,
}

/// A connection that one call uses. Goes back when it is dropped.
pub(super) struct Lent {
    connection: PoolConnection<Postgres>,
    returning: TaskTracker,
}

impl Connections {
    pub(super) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            returning: TaskTracker::new(),
        }
    }

    /// Waits for a connection, for as long as the pool allows.
    pub(super) async fn lend(&self) -> Result<Lent, StoreError> {
        let connection = self.pool.acquire().await.map_err(from_sqlx)?;
        Ok(Lent {
            connection,
            returning: self.returning.clone(),
        })
    }

    /// Lends no more, and waits for those that are lent.
    pub(super) async fn close(&self) {
        self.pool.close().await;
        self.returning.close();
        self.returning.wait().await;
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.pool.size()
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let way_back = tokio::time::timeout(RETURN_DEADLINE, self.connection.return_to_pool());
        // Without a runtime nothing can be sent: the connection is closed by being dropped.
        if let Ok(runtime) = Handle::try_current() {
            self.returning.spawn_on(way_back, &runtime);
        }
    }
}
