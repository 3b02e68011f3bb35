//! Who has the file open: a lock on a file beside it, `<file>.lock`, that goes with its process.
//!
//! Each store holds it, shared with the others. Whoever gets it for itself alone knows that all who
//! had a lease are gone, however they went, and that nobody has to wait for what they left.
//!
//! It is not a lock on the database itself: those are SQLite's, and `open.rs` says how they get lost.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;

use super::lease;
use crate::error::StoreError;

/// How long somebody may be alone with the file, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(super) struct Presence {
    lock: File,
}

impl Presence {
    /// Takes the lock beside `file`, and ends the leases that are left in it if nobody else is
    /// there.
    pub(super) async fn enter(file: &Path, writer: &SqlitePool) -> Result<Self, StoreError> {
        let path = beside(file);
        let cannot = |error: io::Error| {
            StoreError::Unusable(format!("cannot lock `{}`: {error}", path.display()))
        };
        let lock = open(&path).map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => {
                lease::end_all(writer).await?;
                // In between, another one may find itself alone: it ends leases too, of which this
                // store has none yet.
                lock.unlock().map_err(cannot)?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        let sharing = async {
            loop {
                match lock.try_lock_shared() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                    Err(TryLockError::Error(error)) => return Err(cannot(error)),
                }
            }
        };
        tokio::time::timeout(PATIENCE, sharing)
            .await
            .unwrap_or_else(|_| {
                Err(StoreError::Unavailable(
                    format!("`{}` is held by another process", path.display()).into(),
                ))
            })?;
        Ok(Self { lock })
    }

    /// Lets go of the lock before it is dropped.
    pub(super) fn leave(&self) {
        // There is nothing that a caller could do: it is let go of with the process at the latest.
        let _ = self.lock.unlock();
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".lock");
    name.into()
}

/// For this user's eyes only, like the database.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
