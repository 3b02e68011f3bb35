//! The owner of this process's file: takes over, writes, reads, and mends what went wrong.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use patter_protocol::SessionId;

use super::contents::Contents;
use super::file::{Change, Events, SpoolFile};
use super::folder::{Claim, from_io, numbers};
use crate::deadline::within;
use crate::error::StoreError;
use crate::spool::Kept;

/// How long a file may take to be opened and looked through.
const OPEN_DEADLINE: Duration = Duration::from_secs(30);
/// How long it may take to copy what somebody left.
const TAKE_OVER_DEADLINE: Duration = Duration::from_secs(600);
/// How long a transaction may take. Longer than a call, which does not know whether it happened
/// then: tried again, it finds its events.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// How long a session may take to be read.
const READ_DEADLINE: Duration = Duration::from_secs(10);
/// How long a file may take to be closed, its write-ahead log copied into it.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Keeper {
    /// `None` after an error, until it can be opened again.
    file: Option<SpoolFile>,
    /// What is in the file without what is owed, as long as the file is open.
    contents: Arc<Contents>,
    /// To be removed from the file with the next write: `forget` was called and failed.
    owed: Events,
    /// Given back last, when the file is closed.
    claim: Claim,
}

impl Keeper {
    /// Opens a file of the folder and takes over what others left.
    ///
    /// # Errors
    ///
    /// See [`SqliteSpool::open`](super::SqliteSpool::open).
    pub(super) async fn open(
        directory: &Path,
        contents: Arc<Contents>,
    ) -> Result<Self, StoreError> {
        let directory =
            std::path::absolute(directory).map_err(|error| from_io("find", directory, &error))?;
        let claim = Claim::first_free(&directory)?;
        let mut keeper = Self {
            file: None,
            contents,
            owed: Events::new(),
            claim,
        };
        let mut file = keeper
            .open_file()
            .await
            .map_err(|error| about(keeper.claim.path(), error))?;
        for number in numbers(&directory)? {
            // Our own is not free either.
            if let Some(left) = Claim::of(&directory, number)? {
                within(TAKE_OVER_DEADLINE, take_over(&mut file, &left))
                    .await
                    .map_err(|error| about(left.path(), error))?;
            }
        }
        keeper.contents.replace(file.sizes().await?);
        keeper.file = Some(file);
        Ok(keeper)
    }

    /// Makes changes in one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]: whether it happened is not known, but all of it did or nothing.
    pub(super) async fn write(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let had_owed = !self.owed.is_empty();
        match self.try_write(changes).await {
            Ok(removed_some) => {
                self.owed.clear();
                if (removed_some || had_owed) && self.contents.is_empty() {
                    self.start_anew().await;
                }
                Ok(())
            }
            Err(error) => {
                self.owe(changes);
                self.reopen().await;
                if !self.owed.is_empty() && self.contents.is_empty() {
                    self.start_anew().await;
                }
                Err(unavailable(error))
            }
        }
    }

    /// What is kept of a session.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub(super) async fn read(&mut self, session_id: &SessionId) -> Result<Vec<Kept>, StoreError> {
        let mut file = self.take_file().await.map_err(unavailable)?;
        match within(READ_DEADLINE, file.read(session_id)).await {
            Ok(mut kept) => {
                self.file = Some(file);
                if let Some(owed) = self.owed.get(session_id) {
                    kept.retain(|kept| !owed.contains(&kept.event.event_id));
                }
                Ok(kept)
            }
            Err(error) => {
                close(file).await;
                Err(match error {
                    StoreError::Corrupt(_) => error,
                    other => unavailable(other),
                })
            }
        }
    }

    /// Whether events of a session are still to be removed.
    pub(super) fn owes(&self, session_id: &SessionId) -> bool {
        self.owed.contains_key(session_id)
    }

    /// Closes the file and gives it back.
    pub(super) async fn close(mut self) {
        if let Some(file) = self.file.take() {
            close(file).await;
        }
    }

    /// Whether an event was removed.
    async fn try_write(&mut self, changes: &[Change]) -> Result<bool, StoreError> {
        let mut file = self.take_file().await?;
        match within(WRITE_DEADLINE, file.write(&self.owed, changes)).await {
            Ok(effects) => {
                self.file = Some(file);
                let removed_some = effects.iter().any(|effect| effect.removed.events > 0);
                self.contents.apply(effects);
                Ok(removed_some)
            }
            Err(error) => {
                close(file).await;
                Err(error)
            }
        }
    }

    /// Remembers what could not be removed.
    fn owe(&mut self, changes: &[Change]) {
        for change in changes {
            if let Change::Forget { session_id, events } = change {
                self.owed
                    .entry(session_id.clone())
                    .or_default()
                    .extend(events);
            }
        }
    }

    async fn take_file(&mut self) -> Result<SpoolFile, StoreError> {
        match self.file.take() {
            Some(file) => Ok(file),
            None => self.open_file().await,
        }
    }

    /// Opens the file if it can be opened; the next call tries again.
    async fn reopen(&mut self) {
        self.file = self.take_file().await.ok();
    }

    /// Opens the file and learns what is in it.
    async fn open_file(&mut self) -> Result<SpoolFile, StoreError> {
        let opening = async {
            let mut file = SpoolFile::open(self.claim.path()).await?;
            let mut sizes = file.sizes().await?;
            let mut owed = Events::new();
            for (session_id, events) in &self.owed {
                for event in events {
                    // What is not there is not owed: the write did happen.
                    let Some(size) = file.size_of(session_id, event).await? else {
                        continue;
                    };
                    owed.entry(session_id.clone()).or_default().insert(*event);
                    sizes.entry(session_id.clone()).or_default().subtract(size);
                }
            }
            Ok((file, sizes, owed))
        };
        let (file, sizes, owed) = within(OPEN_DEADLINE, opening).await?;
        self.owed = owed;
        self.contents.replace(sizes);
        Ok(file)
    }

    /// Gives the room of a file back in which nothing is wanted any more. This needs no room
    /// itself, unlike a transaction that removes rows.
    async fn start_anew(&mut self) {
        let Some(file) = self.file.take() else {
            return;
        };
        // As long as it may be open nothing is removed: SQLite would remove the log of the next.
        if close(file).await
            && let Err(error) = self.claim.remove()
        {
            tracing::warn!(%error, "could not remove a spool file");
        }
        self.reopen().await;
    }
}

/// Copies what was left in another file, and removes that.
async fn take_over(file: &mut SpoolFile, left: &Claim) -> Result<(), StoreError> {
    let mut other = SpoolFile::open(left.path()).await?;
    let sizes = other.sizes().await?;
    other.close().await?;
    if !sizes.is_empty() {
        // What the copy finds here already is not written again, and so not synced by it.
        file.sync().await?;
        file.copy_from(left.path()).await?;
        tracing::info!(sessions = sizes.len(), "took over a spool file");
    }
    left.remove()
        .map_err(|error| from_io("remove", left.path(), &error))
}

/// Whether the file is closed for certain.
async fn close(file: SpoolFile) -> bool {
    within(CLOSE_DEADLINE, file.close()).await.is_ok()
}

/// An error that is no fault of the call: the same may succeed once the disk is well.
fn unavailable(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(_) => error,
        other => StoreError::Unavailable(other.into()),
    }
}

/// Says which file it is.
fn about(path: &Path, error: StoreError) -> StoreError {
    let path = path.display();
    match error {
        StoreError::Unusable(why) => StoreError::Unusable(format!("`{path}`: {why}")),
        StoreError::Corrupt(why) => StoreError::Corrupt(format!("`{path}`: {why}")),
        StoreError::Unavailable(cause) => {
            StoreError::Unavailable(format!("`{path}`: {cause}").into())
        }
        other => other,
    }
}
