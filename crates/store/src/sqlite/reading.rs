//! One snapshot of a file, for a call that reads in several statements, and no longer than it may.
//!
//! A call that is given up does not end what SQLite is doing for it, on a thread of its own: the
//! statement has to be told to.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::time::Instant;

use super::error::from_sqlx;
use crate::error::StoreError;

/// How long the statements may take, all together.
const DEADLINE: Duration = Duration::from_secs(5);
/// SQLite looks at the clock every so many of its steps: some microseconds.
const STEPS: i32 = 1_000;

/// A transaction that only reads. Its connection goes back when it ends or is dropped.
#[derive(Debug)]
pub(super) struct Reading(Transaction<'static, Sqlite>);

impl Reading {
    /// Begins. Statements that are still at work when the time is up are interrupted, which is
    /// [`StoreError::Unavailable`].
    pub(super) async fn begin(pool: &SqlitePool) -> Result<Self, StoreError> {
        let mut transaction = pool.begin().await.map_err(from_sqlx)?;
        let until = Instant::now() + DEADLINE;
        transaction
            .lock_handle()
            .await
            .map_err(from_sqlx)?
            .set_progress_handler(STEPS, move || Instant::now() < until);
        Ok(Self(transaction))
    }

    /// Ends, and gives back what was read.
    pub(super) async fn end<T>(mut self, read: T) -> Result<T, StoreError> {
        self.0
            .lock_handle()
            .await
            .map_err(from_sqlx)?
            .remove_progress_handler();
        self.0.rollback().await.map_err(from_sqlx)?;
        Ok(read)
    }
}

impl Deref for Reading {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.0
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}
