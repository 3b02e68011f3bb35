//! Sees the frames of a client as they come in, for what the WebSocket library keeps to itself: in how many
//! pieces a message comes, and how long it takes.
//!
//! Costs a few instructions for each frame and no look at the clock while messages come whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A message, and a frame, is complete so long after its first byte.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// A frame has at most so many bytes before what it carries: two, a long length, a mask.
const MAX_HEADER_BYTES: usize = 14;

/// What no client does that means well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    /// A message is a flood of pieces, which cost work and no bytes.
    #[error("a message comes in too many fragments")]
    TooManyFragments,
    /// A message does not come to its end.
    #[error("a message takes too long")]
    TooSlow,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct FrameGuard<S> {
    io: S,
    frames: Frames,
    max_fragments: usize,
    watch: Watch,
    /// Runs while a message is incomplete and nothing comes.
    deadline: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    On,
    /// What came before it was handed on.
    Found(Violation),
    /// Whatever comes is of no interest any more.
    Off,
}

/// Where in the frames of the client one is.
#[derive(Debug, Default)]
struct Frames {
    header: [u8; MAX_HEADER_BYTES],
    header_bytes: usize,
    /// Of what the frame carries, what is to come.
    left: u64,
    /// Of the message so far; 0 between messages.
    fragments: usize,
    /// Whether the frame at hand is the last one of a message.
    is_last: bool,
}

impl<S> FrameGuard<S> {
    pub(super) fn new(io: S, max_fragments: usize) -> Self {
        Self {
            io,
            frames: Frames::default(),
            max_fragments,
            watch: Watch::On,
            deadline: None,
        }
    }

    /// From now on anything goes: nothing of it is looked at.
    pub(super) fn let_pass(&mut self) {
        self.watch = Watch::Off;
        self.deadline = None;
    }

    /// The end of the message is overdue where it is not there when this is polled often enough.
    fn poll_overdue(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.watch == Watch::Off || self.frames.is_between_messages() {
            return Poll::Pending;
        }
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(sleep(MESSAGE_TIMEOUT)));
        deadline.as_mut().poll(context)
    }

    fn tell(&mut self, violation: Violation) -> io::Error {
        self.let_pass();
        io::Error::other(violation)
    }
}

impl Frames {
    fn is_between_messages(&self) -> bool {
        self.fragments == 0 && self.header_bytes == 0 && self.left == 0
    }

    /// Follows the frames through `bytes`; how many of them come before the frame that is one too many, and
    /// whether a message or a control frame ended on the way.
    fn follow(&mut self, bytes: &[u8], max_fragments: usize) -> Followed {
        let mut followed = Followed::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let carried = usize::try_from(self.left).unwrap_or(usize::MAX);
            let carried = carried.min(rest.len());
            rest = rest.get(carried..).unwrap_or_default();
            self.left -= carried as u64;
            if carried > 0 {
                followed.is_message_over |= self.end_frame();
            }
            let Some((&byte, after)) = rest.split_first() else {
                break;
            };
            if self.header_bytes == 0 {
                followed.good = bytes.len() - rest.len();
            }
            rest = after;
            if self.is_header_complete(byte) && !self.begin_frame(max_fragments) {
                return followed;
            }
            followed.is_message_over |= self.end_frame();
        }
        followed.is_good = true;
        followed.good = bytes.len();
        followed
    }

    /// Takes one more byte of a header.
    fn is_header_complete(&mut self, byte: u8) -> bool {
        if let Some(place) = self.header.get_mut(self.header_bytes) {
            *place = byte;
        }
        self.header_bytes += 1;
        let [_, second, ..] = self.header;
        let mask = usize::from(second >> 7) * 4;
        let length = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        self.header_bytes >= 2 && self.header_bytes == 2 + length + mask
    }

    /// `false` where it is one fragment too many.
    fn begin_frame(&mut self, max_fragments: usize) -> bool {
        let [first, second, a, b, c, d, e, f, g, h, ..] = self.header;
        self.header_bytes = 0;
        self.left = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes([a, b])),
            127 => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            short => u64::from(short),
        };
        let is_control = first & 0x08 != 0;
        if !is_control {
            self.fragments += 1;
            self.is_last = first & 0x80 != 0;
        }
        self.fragments <= max_fragments
    }

    /// Whether a message, or a control frame between two, is over with this byte.
    fn end_frame(&mut self) -> bool {
        if self.left > 0 || self.header_bytes > 0 {
            return false;
        }
        if self.is_last {
            self.fragments = 0;
            self.is_last = false;
        }
        self.fragments == 0
    }
}

#[derive(Debug, Default)]
struct Followed {
    good: usize,
    is_good: bool,
    is_message_over: bool,
}

impl<S: AsyncRead + Unpin> AsyncRead for FrameGuard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Watch::Found(violation) = this.watch {
            return Poll::Ready(Err(this.tell(violation)));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.io).poll_read(context, buffer);
        if read.is_pending() {
            ready!(this.poll_overdue(context));
            return Poll::Ready(Err(this.tell(Violation::TooSlow)));
        }
        ready!(read)?;
        if this.watch == Watch::Off {
            return Poll::Ready(Ok(()));
        }
        let bytes = buffer.filled().get(before..).unwrap_or_default();
        let followed = this.frames.follow(bytes, this.max_fragments);
        if followed.is_message_over {
            this.deadline = None;
        }
        if !followed.is_good {
            buffer.set_filled(before + followed.good);
            if followed.good == 0 {
                return Poll::Ready(Err(this.tell(Violation::TooManyFragments)));
            }
            this.watch = Watch::Found(Violation::TooManyFragments);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FrameGuard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
