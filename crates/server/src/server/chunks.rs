//! Follows a body that comes in chunks
//! ([RFC 9112, section 7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1)) to its end, and takes no
//! liberties: what is read in two ways by two programs is refused.

/// The number of a chunk's bytes has so many digits.
const MAX_DIGITS: u8 = 16;
/// What stands behind that number, and what comes behind the last chunk, may have so many bytes each.
const MAX_EXTRA_BYTES: usize = 4 * 1024;

/// Where in such a body one is.
#[derive(Debug)]
pub(super) struct Chunks {
    state: State,
    /// Of the chunk, what is to come.
    left: u64,
    /// Of extensions and trailers so far.
    extra: usize,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Size { digits: u8 },
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailer { is_empty: bool },
    TrailerLf { is_empty: bool },
    Over,
}

/// No body looks like this.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Chunks {
    pub(super) fn new() -> Self {
        Self {
            state: State::Size { digits: 0 },
            left: 0,
            extra: 0,
        }
    }

    /// Whether nothing of the body is to come.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// How many of the bytes belong to the body: all, unless it ends before.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut rest = bytes;
        while !self.is_over() {
            if matches!(self.state, State::Data) {
                let skipped = usize::try_from(self.left).unwrap_or(usize::MAX);
                let skipped = skipped.min(rest.len());
                rest = rest.get(skipped..).unwrap_or_default();
                self.left -= skipped as u64;
                if self.left > 0 {
                    break;
                }
                self.state = State::DataCr;
            }
            let Some((&byte, after)) = rest.split_first() else {
                break;
            };
            self.state = self.step(byte)?;
            rest = after;
        }
        Ok(bytes.len() - rest.len())
    }

    fn step(&mut self, byte: u8) -> Result<State, Malformed> {
        match (self.state, byte) {
            (State::Size { digits }, _) if byte.is_ascii_hexdigit() && digits < MAX_DIGITS => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                self.left = (self.left << 4) | u64::from(digit);
                Ok(State::Size { digits: digits + 1 })
            }
            (State::Size { digits: 1.. }, b';') => Ok(State::Extension),
            (State::Size { digits: 1.. } | State::Extension, b'\r') => Ok(State::SizeLf),
            (State::Extension, byte) => self.extra(byte).map(|()| State::Extension),
            (State::SizeLf, b'\n') if self.left == 0 => Ok(State::Trailer { is_empty: true }),
            (State::SizeLf, b'\n') => Ok(State::Data),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size { digits: 0 }),
            (State::Trailer { is_empty }, b'\r') => Ok(State::TrailerLf { is_empty }),
            (State::Trailer { .. }, byte) => {
                self.extra(byte)?;
                Ok(State::Trailer { is_empty: false })
            }
            (State::TrailerLf { is_empty: true }, b'\n') => Ok(State::Over),
            (State::TrailerLf { is_empty: false }, b'\n') => Ok(State::Trailer { is_empty: true }),
            _ => Err(Malformed),
        }
    }

    fn extra(&mut self, byte: u8) -> Result<(), Malformed> {
        self.extra += 1;
        let is_visible = byte == b'\t' || (b' '..=b'~').contains(&byte);
        if is_visible && self.extra <= MAX_EXTRA_BYTES {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_followed_to_its_end_however_it_is_cut() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "00000000000A;name=value\r\n0123456789\r\n0\r\nX: y\r\nZ: z\r\n\r\n",
            "1\r\n\n\r\n1\r\n\r\r\n0\r\n\r\n",
        ] {
            let sent = format!("{body}GET / HTTP/1.1");
            for size in 1..sent.len() {
                let mut chunks = Chunks::new();
                let mut taken = 0;
                for piece in sent.as_bytes().chunks(size) {
                    taken += chunks.take(piece).unwrap();
                }
                assert!(chunks.is_over(), "{body}");
                assert_eq!(taken, body.len(), "{body}");
            }
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let long = format!("1;{}\r\n", "x".repeat(5000));
        for body in [
            "-1\r\n",
            "+1\r\n",
            "0x1\r\n",
            " 1\r\n",
            "1 \r\n",
            "\r\n",
            ";a\r\n",
            "10000000000000000\r\n",
            "00000000000000001\r\na",
            "1\na",
            "1\rxa",
            "1\r\nab",
            "1\r\na\n",
            "0\r\nX: \0\r\n\r\n",
            "0\r\n\n",
            &long,
        ] {
            assert_eq!(
                Chunks::new().take(body.as_bytes()),
                Err(Malformed),
                "{body:?}"
            );
        }
    }
}
