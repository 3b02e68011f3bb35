//! The readers of a session: each gets every frame or is dropped.

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use patter_protocol::{
    CloseCode, Limits, LiveEvent, MAX_CONTENT_BYTES, MAX_FRAME_BYTES, MAX_METADATA_BYTES, Notice,
    NoticeCode, SessionReady, Token, VERSION,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Session, Stage};
use crate::attachment::{After, Attached};
use crate::error::SessionError;
use crate::frame::Frame;
use crate::measures::Limit;
use crate::reader::{self, Reader, ReaderGone};

#[derive(Default)]
pub(super) struct Readers {
    readers: Vec<(u64, Reader)>,
    gone: FuturesUnordered<BoxFuture<'static, u64>>,
    next_id: u64,
}

impl Readers {
    pub(super) fn add(&mut self, reader: Reader, gone: ReaderGone) {
        let id = self.next_id;
        self.next_id += 1;
        self.readers.push((id, reader));
        self.gone.push(Box::pin(async move {
            // It never sends; it ends.
            let _ended = gone.await;
            id
        }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }

    /// Whether [`Readers::one_gone`] has anybody to wait for: also those that were dropped and
    /// have not noticed yet.
    pub(super) fn watches_any(&self) -> bool {
        !self.gone.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.readers.len()
    }

    /// How many there are, without those that have left just now and whose leaving was not looked at yet.
    fn count_present(&self) -> usize {
        let here = self.readers.iter().filter(|(_, reader)| !reader.is_gone());
        here.count()
    }

    /// Gives a frame to every reader. One that cannot take it is dropped, and will be reported by
    /// [`Readers::one_gone`] when it has noticed.
    pub(super) fn send(&mut self, frame: &Frame) {
        self.readers.retain(|(_, reader)| reader.push(frame));
    }

    /// The same with a piece of text that came at this moment. It is encoded once, and not at all where nobody
    /// reads, or everybody lags.
    pub(super) fn send_piece(&mut self, token: &Token, arrived: Instant) {
        let mut frame = None;
        self.readers
            .retain(|(_, reader)| reader.push_piece(token, arrived, &mut frame));
    }

    /// Waits until a reader has left, and forgets it.
    ///
    /// Cancel safe.
    pub(super) async fn one_gone(&mut self) {
        if let Some(id) = self.gone.next().await {
            self.readers.retain(|(reader_id, _)| *reader_id != id);
        }
    }

    /// Ends every reader, after what it has waiting.
    pub(super) fn close_all(&mut self, code: CloseCode) {
        for (_, reader) in self.readers.drain(..) {
            reader.close(code);
        }
    }
}

fn notice(code: NoticeCode, message: &str) -> Frame {
    Frame::live(LiveEvent::Notice(Notice {
        code,
        message: message.to_owned(),
    }))
}

pub(super) fn store_degraded() -> Frame {
    notice(
        NoticeCode::StoreDegraded,
        "The database is away. Answers go on and are stored when it is back.",
    )
}

pub(super) fn store_recovered() -> Frame {
    notice(NoticeCode::StoreRecovered, "The database is back.")
}

pub(super) fn draining() -> Frame {
    notice(NoticeCode::Draining, "The server is about to restart.")
}

pub(super) fn provider_failover(message: &str) -> Frame {
    notice(NoticeCode::ProviderFailover, message)
}

fn demo_model() -> Frame {
    notice(
        NoticeCode::DemoModel,
        "Answers come from the offline demo, not from a language model.",
    )
}

impl Session {
    /// Takes a reader in. From here on it gets every frame, and it reads for itself what was
    /// stored before: nothing falls between.
    pub(super) fn attach(
        &mut self,
        after: After,
        reply: oneshot::Sender<Result<Attached, SessionError>>,
    ) {
        // Whoever asked may have left; then the reader's end is dropped and the reader is gone.
        if let Err(error) = self.may_attach() {
            let _gone = reply.send(Err(error));
            return;
        }
        let (reader, gone, live) = reader::queue();
        self.readers.add(reader, gone);
        self.somebody_came();
        let (replay_after, reset) = self.replay_after(after);
        let mut after_replay = Vec::new();
        if let Some(turn) = &self.turn {
            after_replay.push(Frame::live(LiveEvent::ResponseSnapshot(turn.snapshot())));
        }
        if self.resources.model.provider() == "demo" {
            after_replay.push(demo_model());
        }
        if self.log.is_degraded() {
            after_replay.push(store_degraded());
        }
        let attached = Attached {
            ready: Frame::live(LiveEvent::SessionReady(self.ready(reset))),
            replay_after,
            replay_to: self.log.last_seq(),
            after_replay,
            live,
        };
        let _gone = reply.send(Ok(attached));
    }

    fn may_attach(&self) -> Result<(), SessionError> {
        if self.stage != Stage::Serving {
            return Err(SessionError::Draining);
        }
        if self.is_ending_for_good() {
            return Err(SessionError::Gone {
                session_id: self.session_id.clone(),
            });
        }
        let limit = self.resources.settings.max_readers;
        if self.readers.count_present() >= limit {
            self.resources.measures.hit(Limit::Readers);
            return Err(SessionError::TooManyReaders {
                session_id: self.session_id.clone(),
                limit,
            });
        }
        Ok(())
    }

    /// Where the replay begins, and whether what the reader holds is void.
    fn replay_after(&self, after: After) -> (u64, bool) {
        match after {
            After::Start => (0, false),
            After::Now => (self.log.last_seq(), false),
            After::Seq { seq, epoch } => {
                let other_log = epoch.is_some_and(|epoch| epoch != self.epoch);
                if other_log || seq > self.log.last_seq() {
                    (0, true)
                } else {
                    (seq, false)
                }
            }
        }
    }

    fn ready(&self, reset: bool) -> SessionReady {
        let in_u32 = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        SessionReady {
            protocol: VERSION,
            session_id: self.session_id.clone(),
            epoch: self.epoch,
            last_seq: self.log.last_seq(),
            reset,
            reopened: self.reopened,
            model: self.resources.model.model().to_owned(),
            provider: self.resources.model.provider().to_owned(),
            tools: self.resources.tools.names(),
            limits: Limits {
                max_frame_bytes: in_u32(MAX_FRAME_BYTES),
                max_content_bytes: in_u32(MAX_CONTENT_BYTES),
                max_metadata_bytes: in_u32(MAX_METADATA_BYTES),
                max_queued_messages: in_u32(self.resources.settings.max_queued_messages),
            },
        }
    }
}

#[cfg(test)]
mod model_check;
