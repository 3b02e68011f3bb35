//! The one way in which a store's statements reach the server, and the connections for it.
//!
//! Before a connection goes back to its pool, sqlx pings it, without a deadline: one that leads
//! nowhere would be missing for as long as TCP waits, a quarter of an hour. Here it is closed
//! instead, and a new one can take its place.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::error::from_sqlx;
use super::waits::Waits;
use crate::error::StoreError;
use crate::measures::PoolUsage;

/// How long a connection may take to answer when a call has ended with it, or has been given up
/// in the middle.
const RETURN_DEADLINE: Duration = Duration::from_secs(1);

/// A statement with its arguments.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A pool, and the connections that are on their way back to it.
#[derive(Clone)]
pub(super) struct Connections {
    pool: PgPool,
    mode: Mode,
    returning: TaskTracker,
    waits: Arc<Waits>,
}

/// What a connection of the pool leads to.
#[derive(Debug, Clone)]
pub(super) enum Mode {
    /// The same session of the server for as long as it lasts: a statement is one round trip.
    Session,
    /// For each transaction another session, which others use in between: a pooler in transaction
    /// mode. Nothing may be left behind in the session, and each statement is a transaction of its
    /// own, even if that is four round trips: sqlx asks for the preparation of a statement and for
    /// its execution apart, and the pooler would let somebody else's come between the two.
    Transaction {
        /// Statements that begin a transaction, and bind it to the store's limits.
        begin: String,
    },
}

/// Several statements that are done whole or not at all. Dropped, it is rolled back, at the price of its
/// connection.
pub(super) struct Transaction {
    lent: Lent,
    /// Whether a statement may be given a name.
    is_persistent: bool,
}

/// A connection that one call uses. Goes back when it is dropped, or is closed if a transaction
/// is still open on it.
pub(super) struct Lent {
    connection: PoolConnection<Postgres>,
    in_transaction: bool,
    returning: TaskTracker,
}

impl Connections {
    pub(super) fn new(pool: PgPool, mode: Mode) -> Self {
        Self {
            pool,
            mode,
            returning: TaskTracker::new(),
            waits: Arc::default(),
        }
    }

    /// Runs one statement and gives its rows; what it writes is committed by then.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the statement is done whole or not at all.
    pub(super) async fn fetch(&self, query: Statement<'_>) -> Result<Vec<PgRow>, StoreError> {
        let mut lent = self.lend().await?;
        let rows = match &self.mode {
            Mode::Session => query.fetch_all(&mut *lent).await,
            Mode::Transaction { begin } => lent.in_transaction(begin, query).await,
        };
        rows.map_err(from_sqlx)
    }

    /// Runs a statement that gives one row.
    pub(super) async fn fetch_one(&self, query: Statement<'_>) -> Result<PgRow, StoreError> {
        let rows = self.fetch(query).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| from_sqlx(sqlx::Error::RowNotFound))
    }

    /// Begins a transaction of several statements.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        let mut lent = self.lend().await?;
        let begin = match &self.mode {
            Mode::Session => "begin",
            Mode::Transaction { begin } => begin,
        };
        lent.begin(begin).await.map_err(from_sqlx)?;
        Ok(Transaction {
            lent,
            is_persistent: self.keep_settings(),
        })
    }

    /// Lends no more, and waits for those that are lent.
    pub(super) async fn close(&self) {
        self.pool.close().await;
        self.returning.close();
        self.returning.wait().await;
    }

    /// Whether a connection stays as it was set.
    pub(super) fn keep_settings(&self) -> bool {
        matches!(self.mode, Mode::Session)
    }

    /// How many there can be.
    pub(super) fn limit(&self) -> u32 {
        self.pool.options().get_max_connections()
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.pool.size()
    }

    /// How they are used.
    pub(super) fn usage(&self) -> PoolUsage {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        self.waits.usage(self.count(), idle, self.limit())
    }

    /// Waits for a connection, for as long as the pool allows.
    pub(super) async fn lend(&self) -> Result<Lent, StoreError> {
        let asked = Instant::now();
        let connection = self.pool.acquire().await;
        self.waits.count(asked.elapsed(), connection.is_ok());
        Ok(Lent {
            connection: connection.map_err(from_sqlx)?,
            in_transaction: false,
            returning: self.returning.clone(),
        })
    }
}

impl Lent {
    /// Runs one statement, which is not given a name that the next user of the server's session
    /// would find there.
    async fn in_transaction(
        &mut self,
        begin: &str,
        query: Statement<'_>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        self.begin(begin).await?;
        let rows = query.persistent(false).fetch_all(&mut **self).await?;
        self.commit().await?;
        Ok(rows)
    }

    async fn begin(&mut self, begin: &str) -> Result<(), sqlx::Error> {
        self.in_transaction = true;
        let begun = sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut **self);
        begun.await.map(drop)
    }

    async fn commit(&mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("commit").execute(&mut **self).await?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Transaction {
    /// Runs one of its statements.
    pub(super) async fn fetch(&mut self, query: Statement<'_>) -> Result<Vec<PgRow>, StoreError> {
        let rows = query
            .persistent(self.is_persistent)
            .fetch_all(&mut *self.lent);
        rows.await.map_err(from_sqlx)
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.lent.commit().await.map_err(from_sqlx)
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
        let way_back = self.connection.return_to_pool();
        if self.in_transaction {
            // Not going that way, the connection is closed, and whoever is at its other end rolls
            // back.
            return;
        }
        // Without a runtime nothing can be sent: it is closed as well.
        if let Ok(runtime) = Handle::try_current() {
            let way_back = tokio::time::timeout(RETURN_DEADLINE, way_back);
            self.returning.spawn_on(way_back, &runtime);
        }
    }
}
