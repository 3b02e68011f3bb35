//! From the bytes of a body to the data of its events, without copying what came in one piece.
//!
//! The data of an event is a slice of the network's own buffer. Only what the network has cut, and
//! data of several lines, is gathered in a buffer of its own. Types, ids and comments are passed
//! over: no provider says in them what is not in the data too.
//!
//! What stands beside the framing (an error, or a whole answer that was not streamed) is
//! everything from a line that begins as JSON does, or with llama.cpp's `error:`, to the end of
//! the body.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr2;

/// Most bytes of one event. Signatures and inline data are long, so this is far above them.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes of one answer.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// May stand before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// llama.cpp reports a failure in a line with this field, which SSE does not know.
const ERROR_FIELD: &[u8] = b"error:";

/// The answer takes more memory than it may.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is larger than any answer should be")]
pub(super) struct TooLarge;

/// Takes the bytes of a body in any pieces and gives the data of its events.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// What has come and has not been read.
    bytes: Bytes,
    /// The beginning of a line, of which `bytes` is the rest.
    line: BytesMut,
    /// The data of the event so far.
    data: Option<Data>,
    /// All that came after the framing was left.
    unframed: Option<BytesMut>,
    /// How many bytes have come.
    total: usize,
    /// Whether a line has been read.
    begun: bool,
    /// Whether the last line ended with a carriage return, which a line feed belongs to.
    after_return: bool,
}

impl Parser {
    /// Takes the next bytes, when all before them have been read.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.total += bytes.len();
        self.bytes = bytes;
    }

    /// The data of the next event that has any; `None` where more bytes are needed to tell.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, TooLarge> {
        while self.unframed.is_none() {
            let Some(line) = self.line()? else {
                break;
            };
            if let Some(data) = self.read(line)?.filter(|data| !is_blank(data)) {
                return Ok(Some(data));
            }
        }
        self.keep_unframed()?;
        if self.total > MAX_ANSWER_BYTES {
            return Err(TooLarge);
        }
        Ok(None)
    }

    /// What stood beside the framing, if anything did. To be asked for at the end, and once.
    pub(super) fn unframed(&mut self) -> Option<Bytes> {
        let rest = self.unframed.take()?.freeze();
        Some(rest).filter(|rest| !is_blank(rest))
    }

    /// The next line, without its end; `None` where its end has not come.
    fn line(&mut self) -> Result<Option<Bytes>, TooLarge> {
        if self.after_return && !self.bytes.is_empty() {
            self.after_return = false;
            if self.bytes.first() == Some(&b'\n') {
                self.bytes.advance(1);
            }
        }
        let end = memchr2(b'\n', b'\r', &self.bytes);
        let length = self.line.len() + end.unwrap_or(self.bytes.len());
        if length > MAX_EVENT_BYTES {
            return Err(TooLarge);
        }
        let Some(end) = end else {
            self.line
                .extend_from_slice(&std::mem::take(&mut self.bytes));
            return Ok(None);
        };
        let mut line = self.bytes.split_to(end + 1);
        self.after_return = line.last() == Some(&b'\r');
        line.truncate(end);
        if !self.line.is_empty() {
            self.line.extend_from_slice(&line);
            line = self.line.split().freeze();
        }
        if !self.begun {
            self.begun = true;
            if line.starts_with(BYTE_ORDER_MARK) {
                line.advance(BYTE_ORDER_MARK.len());
            }
        }
        Ok(Some(line))
    }

    /// Reads one line; the data of the event that it ends.
    fn read(&mut self, mut line: Bytes) -> Result<Option<Bytes>, TooLarge> {
        match line.first() {
            None => return Ok(self.end_event()),
            // No line of SSE begins with a bracket.
            Some(b'{' | b'[') => return Ok(self.leave_framing(&line)),
            Some(_) => {}
        }
        if let Some(message) = line.strip_prefix(ERROR_FIELD) {
            return Ok(self.leave_framing(message));
        }
        let value = match line.strip_prefix(b"data") {
            Some([b':', b' ', ..]) => 6,
            Some([b':', ..]) => 5,
            Some([]) => 4,
            _ => return Ok(None),
        };
        line.advance(value);
        self.data = Some(match self.data.take() {
            None => Data::Line(line),
            Some(data) => data.and(&line)?,
        });
        Ok(None)
    }

    fn end_event(&mut self) -> Option<Bytes> {
        self.data.take().map(Data::into_bytes)
    }

    fn leave_framing(&mut self, line: &[u8]) -> Option<Bytes> {
        let mut unframed = BytesMut::from(line);
        unframed.extend_from_slice(b"\n");
        self.unframed = Some(unframed);
        self.end_event()
    }

    fn keep_unframed(&mut self) -> Result<(), TooLarge> {
        if let Some(unframed) = &mut self.unframed {
            unframed.extend_from_slice(&std::mem::take(&mut self.bytes));
            if unframed.len() > MAX_EVENT_BYTES {
                return Err(TooLarge);
            }
        }
        Ok(())
    }
}

/// The data of an event.
#[derive(Debug)]
enum Data {
    /// One line, as it came.
    Line(Bytes),
    /// Several, with line feeds between them.
    Lines(BytesMut),
}

impl Data {
    fn and(self, line: &[u8]) -> Result<Self, TooLarge> {
        let mut lines = match self {
            Self::Line(first) => BytesMut::from(first),
            Self::Lines(lines) => lines,
        };
        lines.extend_from_slice(b"\n");
        lines.extend_from_slice(line);
        if lines.len() > MAX_EVENT_BYTES {
            return Err(TooLarge);
        }
        Ok(Self::Lines(lines))
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Line(line) => line,
            Self::Lines(lines) => lines.freeze(),
        }
    }
}

fn is_blank(data: &[u8]) -> bool {
    data.trim_ascii().is_empty()
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
