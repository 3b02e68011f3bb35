//! The task: gathers what waits and does it, until there is nobody left who could ask.

use patter_protocol::SessionId;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::file::Change;
use super::keeper::Keeper;
use crate::error::StoreError;
use crate::spool::Kept;

/// The most calls of a transaction.
const MAX_BATCH: usize = 256;

/// Where the outcome of a call goes. Whoever does not wait any more has no use for it.
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// A call and who waits for it.
#[derive(Debug)]
pub(super) enum Job {
    Write(Change, Answer<()>),
    Read(SessionId, Answer<Vec<Kept>>),
}

/// Does what arrives, in order. Ends when `closing` is cancelled or the last sender is gone, and
/// what waits is done.
pub(super) async fn run(
    mut keeper: Keeper,
    mut receiver: mpsc::Receiver<Job>,
    closing: CancellationToken,
) {
    let mut jobs = Vec::new();
    loop {
        tokio::select! {
            () = closing.cancelled(), if !receiver.is_closed() => receiver.close(),
            count = receiver.recv_many(&mut jobs, MAX_BATCH) => {
                if count == 0 {
                    break;
                }
            }
        }
        let mut writes = Writes::default();
        for job in jobs.drain(..) {
            match job {
                Job::Write(change, answer) => writes.push(change, answer),
                Job::Read(session_id, answer) => {
                    // It is to see what was asked for before it.
                    std::mem::take(&mut writes).make(&mut keeper).await;
                    let _ = answer.send(keeper.read(&session_id).await);
                }
            }
        }
        writes.make(&mut keeper).await;
    }
    keeper.close().await;
}

/// Changes that go into one transaction.
#[derive(Default)]
struct Writes {
    changes: Vec<Change>,
    answers: Vec<Answer<()>>,
}

impl Writes {
    fn push(&mut self, change: Change, answer: Answer<()>) {
        self.changes.push(change);
        self.answers.push(answer);
    }

    async fn make(self, keeper: &mut Keeper) {
        if self.changes.is_empty() {
            return;
        }
        let failure = keeper.write(&self.changes).await.err();
        for (change, answer) in self.changes.iter().zip(self.answers) {
            let is_done = match change {
                _ if failure.is_none() => true,
                Change::Keep(_) => false,
                // It may be gone with the whole file.
                Change::Forget { session_id, .. } => !keeper.owes(session_id),
            };
            let _ = answer.send(match &failure {
                Some(error) if !is_done => Err(copy(error)),
                _ => Ok(()),
            });
        }
    }
}

/// The same error for another caller; its cause becomes a text.
fn copy(error: &StoreError) -> StoreError {
    let cause = std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
    StoreError::Unavailable(cause.into())
}
