//! The folder: numbered files, each with a lock that says whose it is.
//!
//! The database `3.db` belongs to the process that holds the lock on `3.lock`. The system gives
//! the lock back when that process dies, however it does. Locks stand in files of their own because
//! closing a database file gives up the locks of SQLite, and they are never removed: two processes
//! could hold two locks of the same name then.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::sqlite::open::make_file;

/// More processes than that do not share a folder.
const MAX_FILES: u32 = 1_024;

/// A database file that is this process's own for as long as this lives.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    /// Held, not used.
    _lock: File,
}

impl Claim {
    /// The file with the lowest number that is free. Makes the folder where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`], or [`StoreError::Unavailable`] if the disk is full.
    pub(super) fn first_free(directory: &Path) -> Result<Self, StoreError> {
        for number in 0..MAX_FILES {
            if let Some(claim) = Self::of(directory, number)? {
                return Ok(claim);
            }
        }
        Err(StoreError::Unusable(format!(
            "all {MAX_FILES} files in `{}` are in use",
            directory.display()
        )))
    }

    /// The file with a number, unless somebody has it, this process included.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`], or [`StoreError::Unavailable`] if the disk is full.
    pub(super) fn of(directory: &Path, number: u32) -> Result<Option<Self>, StoreError> {
        let lock_path = directory.join(format!("{number}.lock"));
        let locked = make_file(&lock_path)
            .and_then(|()| File::open(&lock_path))
            .and_then(|lock| match lock.try_lock() {
                Ok(()) => Ok(Some(lock)),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            });
        let lock = locked.map_err(|error| from_io("lock", &lock_path, &error))?;
        Ok(lock.map(|lock| Self {
            path: directory.join(format!("{number}.db")),
            _lock: lock,
        }))
    }

    /// The database.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the database, which nobody has open, and what SQLite put beside it. The database
    /// goes first: without its write-ahead log it could be damaged, and the log without it is
    /// nothing to SQLite.
    ///
    /// # Errors
    ///
    /// Those of the system. What is not there is none.
    pub(super) fn remove(&self) -> io::Result<()> {
        for suffix in ["", "-wal"] {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            match fs::remove_file(name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The numbers of the databases in the folder, in order.
///
/// # Errors
///
/// [`StoreError::Unusable`].
pub(super) fn numbers(directory: &Path) -> Result<Vec<u32>, StoreError> {
    let read = || -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".db"));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    };
    read().map_err(|error| from_io("read", directory, &error))
}

/// The error of a file that could not be made, locked, listed or removed.
pub(super) fn from_io(what: &str, path: &Path, error: &io::Error) -> StoreError {
    let message = format!("cannot {what} `{}`: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::Unavailable(message.into())
        }
        _ => StoreError::Unusable(message),
    }
}
