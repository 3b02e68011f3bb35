//! The one way in which a store's statements reach the server, and the connections for it.
//!
//! The connection that was used last is used next: what the server and the processor keep for it is at hand, and
//! those that a rush has opened rest, until they are closed. (The pool of sqlx takes the one that has rested longest,
//! and asks the server something more each time before it takes one back.)

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{Metrics, Object, Pool, PoolError, QueueMode};
use futures_util::future::join_all;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, Error, Execute, Executor, Postgres};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::error::from_sqlx;
use super::opener::Opener;
use super::options::PostgresOptions;
use super::waits::Waits;
use crate::error::StoreError;
use crate::measures::PoolUsage;

/// How long a connection may take to come to the end of a statement that was given up, before it is closed.
const SETTLE_DEADLINE: Duration = Duration::from_secs(1);
/// How long it may take to say goodbye.
const GOODBYE_DEADLINE: Duration = Duration::from_secs(1);
/// A connection that was not lent for so long is closed: routers forget those that are silent for some minutes.
const MAX_IDLE: Duration = Duration::from_secs(60);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(15);

/// A statement with its arguments.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A pool, and the connections that are lent.
#[derive(Clone)]
pub(super) struct Connections {
    pool: Pool<Opener>,
    acquire_timeout: Duration,
    max_connections: u32,
    mode: Mode,
    /// One for each that is lent, or is waited for, or is on its way back.
    lent: TaskTracker,
    waits: Arc<Waits>,
    /// Closes what is not needed.
    _tidying: Arc<JoinSet<()>>,
}

/// What a connection of the pool leads to.
#[derive(Debug, Clone)]
pub(super) enum Mode {
    /// The same session of the server for as long as it lasts: a statement is one round trip.
    Session {
        /// A statement that each connection begins with: it binds it to the store's limits.
        settings: String,
    },
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

/// A connection that one call uses. Goes back when it is dropped; it is closed if a transaction is still open
/// on it, or if it does not come to the end of a statement that was given up.
pub(super) struct Lent {
    /// Until it goes back.
    connection: Option<Object<Opener>>,
    when_dropped: WhenDropped,
    lent: TaskTracker,
    _counted: TaskTrackerToken,
}

/// What becomes of a connection, by what has begun on it and was not seen to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WhenDropped {
    /// Nothing has: the next one can have it.
    GoesBack,
    /// A statement has: it goes back when it has come to the end of that.
    IsSettled,
    /// A transaction has: whoever is at the other end rolls it back.
    IsClosed,
}

impl Connections {
    /// Opens nothing yet. To be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if the URL cannot be read, or there may be no connection.
    pub(super) fn new(options: &PostgresOptions, mode: Mode) -> Result<Self, StoreError> {
        let settings = match &mode {
            Mode::Session { settings } => Some(settings.clone()),
            Mode::Transaction { .. } => None,
        };
        let opener = Opener {
            options: options.connect_options()?,
            settings,
        };
        let max_connections = options.max_connections;
        if max_connections == 0 {
            return Err(StoreError::Unusable("no connection is allowed".to_owned()));
        }
        let most = usize::try_from(max_connections).unwrap_or(usize::MAX);
        let pool = Pool::builder(opener)
            .max_size(most)
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| StoreError::Unusable(error.to_string()))?;
        let mut tidying = JoinSet::new();
        tidying.spawn(tidy(pool.clone()));
        Ok(Self {
            acquire_timeout: options.acquire_timeout,
            max_connections,
            mode,
            lent: TaskTracker::new(),
            waits: Arc::default(),
            _tidying: Arc::new(tidying),
            pool,
        })
    }

    /// Runs one statement and gives its rows; what it writes is committed by then.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the statement is done whole or not at all.
    pub(super) async fn fetch(&self, query: Statement<'_>) -> Result<Vec<PgRow>, StoreError> {
        let mut lent = self.lend().await?;
        let rows = match &self.mode {
            Mode::Session { .. } => lent.fetch(query).await,
            Mode::Transaction { begin } => lent.in_transaction(begin, query).await,
        };
        rows.map_err(from_sqlx)
    }

    /// Runs a statement that gives one row.
    pub(super) async fn fetch_one(&self, query: Statement<'_>) -> Result<PgRow, StoreError> {
        let rows = self.fetch(query).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| from_sqlx(Error::RowNotFound))
    }

    /// Begins a transaction of several statements.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        let mut lent = self.lend().await?;
        let begin = match &self.mode {
            Mode::Session { .. } => "begin",
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
        close_those(&self.pool, |_| true).await;
        self.pool.close();
        self.lent.close();
        self.lent.wait().await;
        // One that came back while others waited for it is not closed with the pool.
        close_those(&self.pool, |_| true).await;
    }

    /// Whether a connection stays as it was set.
    pub(super) fn keep_settings(&self) -> bool {
        matches!(self.mode, Mode::Session { .. })
    }

    /// How many there can be.
    pub(super) fn limit(&self) -> u32 {
        self.max_connections
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        in_u32(self.pool.status().size)
    }

    /// How they are used.
    pub(super) fn usage(&self) -> PoolUsage {
        let status = self.pool.status();
        self.waits
            .usage(in_u32(status.size), in_u32(status.available), self.limit())
    }

    /// Waits for a connection, for as long as the options allow.
    pub(super) async fn lend(&self) -> Result<Lent, StoreError> {
        // Before there is one: who closes the store waits for those who wait.
        let counted = self.lent.token();
        let asked = Instant::now();
        let connection = timeout(self.acquire_timeout, self.pool.get()).await;
        let connection = match connection {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(PoolError::Closed)) => Err(Error::PoolClosed),
            Ok(Err(_)) | Err(_) => Err(Error::PoolTimedOut),
        };
        self.waits.count(asked.elapsed(), connection.is_ok());
        Ok(Lent {
            connection: Some(connection.map_err(from_sqlx)?),
            when_dropped: WhenDropped::GoesBack,
            lent: self.lent.clone(),
            _counted: counted,
        })
    }
}

/// Closes connections that nobody needs. Ends by being aborted.
async fn tidy(pool: Pool<Opener>) {
    let mut looks = interval(LOOK);
    loop {
        looks.tick().await;
        close_those(&pool, |metrics| metrics.last_used() > MAX_IDLE).await;
    }
}

/// Closes those that rest and of which this is true, and says goodbye to the server.
async fn close_those(pool: &Pool<Opener>, is_one: impl Fn(Metrics) -> bool) {
    let those = pool.retain(|_, metrics| !is_one(metrics)).removed;
    let goodbyes = those.into_iter().map(Connection::close);
    // Those that do not answer are dropped.
    let _said = timeout(GOODBYE_DEADLINE, join_all(goodbyes)).await;
}

fn in_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Lent {
    /// Runs a statement; or several without parameters ([`sqlx::raw_sql`]), which go out in one message that no
    /// pooler mixes up with others.
    pub(super) async fn fetch<'q>(
        &mut self,
        query: impl Execute<'q, Postgres> + 'q,
    ) -> Result<Vec<PgRow>, Error> {
        let connection = self.connection.as_mut().ok_or(Error::PoolClosed)?;
        let before = self.when_dropped;
        if before == WhenDropped::GoesBack {
            self.when_dropped = WhenDropped::IsSettled;
        }
        let rows = (&mut **connection).fetch_all(query).await?;
        self.when_dropped = before;
        Ok(rows)
    }

    /// Runs one statement, which is not given a name that the next user of the server's session
    /// would find there.
    async fn in_transaction(
        &mut self,
        begin: &str,
        query: Statement<'_>,
    ) -> Result<Vec<PgRow>, Error> {
        self.begin(begin).await?;
        let rows = self.fetch(query.persistent(false)).await?;
        self.commit().await?;
        Ok(rows)
    }

    async fn begin(&mut self, begin: &str) -> Result<(), Error> {
        self.when_dropped = WhenDropped::IsClosed;
        let begun = self.fetch(sqlx::raw_sql(AssertSqlSafe(begin)));
        begun.await.map(drop)
    }

    async fn commit(&mut self) -> Result<(), Error> {
        self.fetch(sqlx::raw_sql("commit")).await?;
        self.when_dropped = WhenDropped::GoesBack;
        Ok(())
    }

    fn settle_later(&self, connection: Object<Opener>) {
        let Ok(runtime) = Handle::try_current() else {
            // Nothing can be sent.
            drop(Object::take(connection));
            return;
        };
        let unsettled = Self {
            connection: Some(connection),
            when_dropped: WhenDropped::IsClosed,
            lent: self.lent.clone(),
            _counted: self.lent.token(),
        };
        self.lent.spawn_on(settle(unsettled), &runtime);
    }
}

impl Transaction {
    /// Runs one of its statements.
    pub(super) async fn fetch(&mut self, query: Statement<'_>) -> Result<Vec<PgRow>, StoreError> {
        let rows = self.lent.fetch(query.persistent(self.is_persistent));
        rows.await.map_err(from_sqlx)
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.lent.commit().await.map_err(from_sqlx)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match self.when_dropped {
            WhenDropped::GoesBack => drop(connection),
            WhenDropped::IsSettled => self.settle_later(connection),
            WhenDropped::IsClosed => drop(Object::take(connection)),
        }
    }
}

/// Waits for the end of what was given up, and gives the connection back.
async fn settle(mut lent: Lent) {
    let Some(connection) = &mut lent.connection else {
        return;
    };
    if let Ok(Ok(())) = timeout(SETTLE_DEADLINE, connection.ping()).await {
        lent.when_dropped = WhenDropped::GoesBack;
    }
}
