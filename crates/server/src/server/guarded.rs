//! What stands between the bytes of a connection and the parser of HTTP: heads that are read in two ways are
//! kept from it, and who does not take an answer is not waited for.
//!
//! In the place of a head that is refused the parser gets another one, which says that a head was refused:
//! so the refusal comes in its turn, behind the answers to what was asked before it, and like any other
//! answer. It is the last one.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::chunks::Chunks;
use super::head::{self, Next, RefusedHead, Scan};

/// A client has so long to send its first head, and each one that it has begun.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Who takes nothing of an answer for so long gets no more of it.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Who was refused in the middle of a request may send on for so long: a connection that is closed with
/// unread bytes is reset, and the refusal may be lost.
const LINGER: Duration = Duration::from_secs(2);
/// The method of the head that stands for one that was refused.
pub(super) const REFUSED_METHOD: &str = "REFUSED";
const REFUSED_HEAD: &[u8] = b"REFUSED / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// What the guard of a connection and those who answer on it tell each other.
#[derive(Debug, Default)]
pub(super) struct Word {
    refused: OnceLock<RefusedHead>,
    is_upgraded: AtomicBool,
}

impl Word {
    /// Why a head was refused, once one was.
    pub(super) fn refused(&self) -> Option<RefusedHead> {
        self.refused.get().copied()
    }

    /// The connection has another protocol from now on: to have asked for it is not enough.
    pub(super) fn upgraded(&self) {
        self.is_upgraded.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_upgraded(&self) -> bool {
        self.is_upgraded.load(Ordering::Relaxed)
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Guarded<S> {
    io: S,
    part: Part,
    /// What was read and not handed on.
    held: BytesMut,
    /// So much of it may be.
    cleared: usize,
    word: Arc<Word>,
    /// Whether no head has come yet.
    is_new: bool,
    /// Runs while a head is due.
    head: Option<Pin<Box<Sleep>>>,
    /// Runs while an answer is not taken.
    stall: Option<Pin<Box<Sleep>>>,
    is_shut: bool,
    linger: Option<Pin<Box<Sleep>>>,
}

/// What comes next.
#[derive(Debug)]
enum Part {
    Head(Scan),
    Body(u64),
    Chunks(Chunks),
    /// Whatever comes after a head that asked for another protocol. If it is not granted, nothing more is
    /// read on this connection.
    Anything,
    /// Nothing: a head was refused.
    Refused,
    /// Nothing: a body was none.
    Broken,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    pub(super) fn new(io: S) -> Self {
        Self {
            io,
            part: Part::Head(Scan::default()),
            held: BytesMut::new(),
            cleared: 0,
            word: Arc::default(),
            is_new: true,
            head: None,
            stall: None,
            is_shut: false,
            linger: None,
        }
    }

    pub(super) fn word(&self) -> Arc<Word> {
        Arc::clone(&self.word)
    }

    /// Finds out how much of what is held may be handed on; `false` where more must be read for that.
    fn clear(&mut self) -> io::Result<bool> {
        if self.held.is_empty() {
            return Ok(false);
        }
        match &mut self.part {
            Part::Head(scan) => {
                let next = match scan.end(&self.held) {
                    Ok(None) => return Ok(false),
                    Ok(Some(end)) => {
                        self.cleared = end;
                        head::check(self.held.get(..end).unwrap_or_default())
                    }
                    Err(refused) => Err(refused),
                };
                self.is_new = false;
                self.head = None;
                match next {
                    Ok(next) => self.part = Part::after(next),
                    Err(refused) => self.refuse(refused),
                }
            }
            Part::Body(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX);
                self.cleared = taken.min(self.held.len());
                *left -= self.cleared as u64;
            }
            Part::Chunks(chunks) => match chunks.take(&self.held) {
                Ok(taken) => self.cleared = taken,
                Err(_malformed) => {
                    self.part = Part::Broken;
                    return Err(ErrorKind::InvalidData.into());
                }
            },
            Part::Anything => self.cleared = self.held.len(),
            Part::Refused | Part::Broken => self.held.clear(),
        }
        if self.part.is_over() {
            self.part = Part::Head(Scan::default());
        }
        Ok(true)
    }

    fn refuse(&mut self, refused: RefusedHead) {
        let _is_first = self.word.refused.set(refused);
        self.part = Part::Refused;
        self.held = BytesMut::from(REFUSED_HEAD);
        self.cleared = REFUSED_HEAD.len();
    }

    /// Reads into `buffer`, and takes it from there into what is held.
    fn poll_hold(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_pending() {
            ready!(self.poll_overdue(context));
            return Poll::Ready(Err(ErrorKind::TimedOut.into()));
        }
        ready!(read)?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        let count = read.len();
        self.held.extend_from_slice(read);
        buffer.set_filled(before);
        Poll::Ready(Ok(count))
    }

    /// Nothing comes. That is so between two requests, too, while the first one is answered.
    fn poll_overdue(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let is_begun = self.is_new || !self.held.is_empty();
        if !is_begun || !matches!(self.part, Part::Head(_)) {
            return Poll::Pending;
        }
        let head = self
            .head
            .get_or_insert_with(|| Box::pin(sleep(HEAD_TIMEOUT)));
        head.as_mut().poll(context)
    }

    /// An answer is not taken: not for ever. A WebSocket looks after that by itself.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.word.is_upgraded() {
            return Poll::Pending;
        }
        let stall = self
            .stall
            .get_or_insert_with(|| Box::pin(sleep(STALL_TIMEOUT)));
        ready!(stall.as_mut().poll(context));
        Poll::Ready(ErrorKind::TimedOut.into())
    }

    /// What came of writing; where nothing could be written, the deadline runs.
    fn watched<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            return self.poll_stalled(context).map(Err);
        }
        self.stall = None;
        written
    }

    /// Throws away what still comes.
    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 4096];
        loop {
            let linger = self.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
            if linger.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    }
}

impl Part {
    fn after(next: Next) -> Self {
        match next {
            Next::Length(length) => Self::Body(length),
            Next::Chunks => Self::Chunks(Chunks::new()),
            Next::Upgrade => Self::Anything,
        }
    }

    /// Whether the next thing to come is a head.
    fn is_over(&self) -> bool {
        match self {
            Self::Body(left) => *left == 0,
            Self::Chunks(chunks) => chunks.is_over(),
            Self::Head(_) | Self::Anything | Self::Refused | Self::Broken => false,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if this.cleared > 0 {
                let count = this.cleared.min(buffer.remaining());
                buffer.put_slice(this.held.get(..count).unwrap_or_default());
                this.held.advance(count);
                this.cleared -= count;
                return Poll::Ready(Ok(()));
            }
            match this.part {
                Part::Anything if this.held.is_empty() => {
                    // Whoever has another protocol need not hold our buffer.
                    this.held = BytesMut::new();
                    return Pin::new(&mut this.io).poll_read(context, buffer);
                }
                // The refusal is being answered, and is the last answer.
                Part::Refused => return Poll::Pending,
                Part::Broken => return Poll::Ready(Err(ErrorKind::InvalidData.into())),
                _ => {}
            }
            if !this.clear()? && ready!(this.poll_hold(context, buffer))? == 0 {
                // The other end has no more to say: what the parser makes of half a head is its own affair.
                let left = this.held.split();
                let count = left.len().min(buffer.remaining());
                buffer.put_slice(left.get(..count).unwrap_or_default());
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(context, bytes);
        this.watched(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(context, slices);
        this.watched(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.io).poll_flush(context);
        this.watched(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.is_shut {
            let shut = Pin::new(&mut this.io).poll_shutdown(context);
            ready!(this.watched(context, shut))?;
            this.is_shut = true;
        }
        let is_between = matches!(this.part, Part::Head(_)) && this.held.is_empty();
        if !is_between && !matches!(this.part, Part::Anything) {
            ready!(this.poll_discard(context));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
