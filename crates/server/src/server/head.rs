//! What the head of an HTTP/1 request must look like, stricter than the parser behind it: no two programs on
//! the way may disagree about where a request ends
//! ([RFC 9112, section 11.2](https://www.rfc-editor.org/rfc/rfc9112#section-11.2)). Nothing is guessed that
//! can be read in two ways.

/// A head may have so many bytes, the empty line included.
pub(super) const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_FIELDS: usize = 64;
/// What a request asks for, in bytes.
const MAX_TARGET_BYTES: usize = 8 * 1024;
/// A method, which is short, a target and a version.
const MAX_FIRST_LINE_BYTES: usize = MAX_TARGET_BYTES + 48;

/// Why a head is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedHead {
    /// It can be read in two ways, or in none.
    Malformed(&'static str),
    /// It asks for what has too long a name.
    TargetTooLong,
    /// It has too many fields, or too many bytes.
    TooLarge,
}

/// How a request goes on behind its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// With so many bytes.
    Length(u64),
    /// With chunks.
    Chunks,
    /// With what another protocol says: the head asks to leave this one.
    Upgrade,
}

/// Looks for the end of a head, byte by byte and at each only once.
#[derive(Debug, Default)]
pub(super) struct Scan {
    at: usize,
    is_after_cr: bool,
    line_bytes: usize,
    lines: usize,
    empty_lines: usize,
}

impl Scan {
    /// Goes on with `bytes`, which begin with the head; where it ends, once that has come.
    ///
    /// # Errors
    ///
    /// Where it is to be refused, whatever comes.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, RefusedHead> {
        for &byte in bytes.iter().skip(self.at) {
            self.at += 1;
            if self.is_after_cr {
                self.is_after_cr = false;
                if byte != b'\n' {
                    return Err(RefusedHead::Malformed("a carriage return ends no line"));
                }
                if self.is_end()? {
                    return Ok(Some(self.at));
                }
            } else if byte == b'\r' {
                self.is_after_cr = true;
            } else {
                self.inside_line(byte)?;
            }
            if self.at == MAX_HEAD_BYTES {
                return Err(RefusedHead::TooLarge);
            }
        }
        Ok(None)
    }

    fn inside_line(&mut self, byte: u8) -> Result<(), RefusedHead> {
        if byte == b'\n' {
            return Err(RefusedHead::Malformed("a line ends with CR and LF"));
        }
        if byte != b'\t' && !(b' '..=b'~').contains(&byte) {
            return Err(RefusedHead::Malformed("a head is visible ASCII"));
        }
        self.line_bytes += 1;
        if self.lines == 0 && self.line_bytes > MAX_FIRST_LINE_BYTES {
            return Err(RefusedHead::TargetTooLong);
        }
        Ok(())
    }

    /// Whether the line that is over now is the last one.
    fn is_end(&mut self) -> Result<bool, RefusedHead> {
        let is_empty = self.line_bytes == 0;
        self.line_bytes = 0;
        if !is_empty {
            self.lines += 1;
        } else if self.lines == 0 {
            // Old clients send an empty line behind a body.
            self.empty_lines += 1;
            if self.empty_lines > 1 {
                return Err(RefusedHead::Malformed("a request begins with its line"));
            }
        }
        Ok(is_empty && self.lines > 0)
    }
}

/// Looks at a whole head, whose lines end as they should.
///
/// # Errors
///
/// Where it is to be refused.
pub(super) fn check(head: &[u8]) -> Result<Next, RefusedHead> {
    let text =
        str::from_utf8(head).map_err(|_| RefusedHead::Malformed("a head is visible ASCII"))?;
    let mut lines = text.trim_matches(['\r', '\n']).split("\r\n");
    let first = lines.next().unwrap_or_default();
    let (target, version) = target_and_version(first).ok_or(RefusedHead::Malformed(
        "a request begins with a method, a target and HTTP/1.1",
    ))?;
    if target.len() > MAX_TARGET_BYTES {
        return Err(RefusedHead::TargetTooLong);
    }
    let mut fields = Fields {
        is_old: version == "HTTP/1.0",
        ..Fields::default()
    };
    for (number, line) in lines.enumerate() {
        if number == MAX_FIELDS {
            return Err(RefusedHead::TooLarge);
        }
        fields.add(line)?;
    }
    fields.next()
}

fn target_and_version(line: &str) -> Option<(&str, &str)> {
    let (method, rest) = line.split_once(' ')?;
    let (target, version) = rest.split_once(' ')?;
    let is_method = !method.is_empty() && method.bytes().all(is_token);
    let is_version = matches!(version, "HTTP/1.1" | "HTTP/1.0");
    (is_method && is_version && !target.is_empty()).then_some((target, version))
}

/// What the fields say of how the request goes on.
#[derive(Debug, Default)]
struct Fields {
    is_old: bool,
    length: Option<u64>,
    is_chunked: bool,
    is_upgrade: bool,
}

impl Fields {
    fn add(&mut self, line: &str) -> Result<(), RefusedHead> {
        let Some((name, value)) = line.split_once(':') else {
            return Err(RefusedHead::Malformed("a field has a name and a colon"));
        };
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(RefusedHead::Malformed("this is no name of a field"));
        }
        let value = value.trim_matches([' ', '\t']);
        if name.eq_ignore_ascii_case("content-length") {
            let is_number = !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit());
            let length = value.parse().ok().filter(|_| is_number);
            if length.is_none() || self.length.is_some() {
                return Err(RefusedHead::Malformed("`Content-Length` is one number"));
            }
            self.length = length;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if self.is_chunked || !value.eq_ignore_ascii_case("chunked") {
                return Err(RefusedHead::Malformed(
                    "`Transfer-Encoding` is `chunked`, once",
                ));
            }
            self.is_chunked = true;
        } else if name.eq_ignore_ascii_case("upgrade") {
            self.is_upgrade = true;
        }
        Ok(())
    }

    fn next(&self) -> Result<Next, RefusedHead> {
        if self.is_chunked && self.length.is_some() {
            let why = "a body has a length or comes in chunks";
            return Err(RefusedHead::Malformed(why));
        }
        if self.is_chunked && self.is_old {
            return Err(RefusedHead::Malformed("HTTP/1.0 has no chunks"));
        }
        Ok(if self.is_upgrade {
            Next::Upgrade
        } else if self.is_chunked {
            Next::Chunks
        } else {
            Next::Length(self.length.unwrap_or(0))
        })
    }
}

/// See [RFC 9110, section 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Option<Next>, RefusedHead> {
        let head = head.as_bytes();
        let mut scan = Scan::default();
        let Some(end) = scan.end(head)? else {
            return Ok(None);
        };
        assert_eq!(end, head.len());
        check(head).map(Some)
    }

    #[test]
    fn a_head_says_how_its_request_goes_on() {
        for (fields, next) in [
            ("", Next::Length(0)),
            ("Content-Length: 5\r\n", Next::Length(5)),
            ("content-length:\t5 \r\n", Next::Length(5)),
            ("Transfer-Encoding: Chunked\r\n", Next::Chunks),
            ("X:\r\nUpgrade: websocket\r\n", Next::Upgrade),
        ] {
            let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
            assert_eq!(read(&head), Ok(Some(next)), "{fields}");
            assert_eq!(read(&format!("\r\n{head}")), Ok(Some(next)), "{fields}");
            let half = head.get(..head.len() - 1).unwrap();
            assert_eq!(read(half), Ok(None), "{fields}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            "X: a\r\n Content-Length: 5\r\n",
            "X: a\nContent-Length: 5\r\n",
            "X: a\rContent-Length: 5\r\n",
            "X: \0\r\n",
            "X: \u{7f}\r\n",
            "X: \u{80}\r\n",
            ": a\r\n",
            "no colon\r\n",
        ] {
            let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
            let refused = read(&head);
            assert!(
                matches!(refused, Err(RefusedHead::Malformed(_))),
                "{fields:?}: {refused:?}"
            );
        }
        for line in [
            "nonsense",
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            "GET\t/ HTTP/1.1",
            "GET / HTTP/0.9",
            "PRI * HTTP/2.0",
            "G(T / HTTP/1.1",
            " / HTTP/1.1",
        ] {
            assert!(
                read(&format!("{line}\r\nHost: a\r\n\r\n")).is_err(),
                "{line}"
            );
        }
        let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(read(old).is_err());
        assert!(read("\r\n\r\nGET / HTTP/1.1\r\n\r\n").is_err());
    }

    #[test]
    fn a_head_has_its_limits_and_is_taken_up_to_them() {
        let target = |bytes: usize| format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(bytes - 1));
        assert_eq!(read(&target(8192)), Ok(Some(Next::Length(0))));
        assert_eq!(read(&target(8193)), Err(RefusedHead::TargetTooLong));
        assert_eq!(read(&"x".repeat(70_000)), Err(RefusedHead::TargetTooLong));
        let fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "x: 1\r\n".repeat(count));
        assert_eq!(read(&fields(64)), Ok(Some(Next::Length(0))));
        assert_eq!(read(&fields(65)), Err(RefusedHead::TooLarge));
        let long = |bytes: usize| {
            let rest = "GET / HTTP/1.1\r\nx: \r\n\r\n".len();
            format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(bytes - rest))
        };
        assert_eq!(read(&long(16_384)), Ok(Some(Next::Length(0))));
        assert_eq!(read(&long(16_385)), Err(RefusedHead::TooLarge));
    }
}
