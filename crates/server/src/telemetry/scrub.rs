//! Takes out of every line of the log what looks like a key or a password, whoever wrote it: libraries
//! quote what they were given, and so do the services that they ask. Our own code logs none to begin with.
//! What is left is written as [plain text](crate::plain).

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Captures, Regex};
use tracing_subscriber::fmt::MakeWriter;

use crate::plain::plain_line;

const MASK: &[u8] = b"***";

/// A line without any of these is left alone, and nearly all are.
const SIGNS: [&str; 17] = [
    "sk-",
    "AIza",
    "eyJ",
    "ZXlK",
    "sb_secret_",
    "sb_publishable_",
    "patter_",
    "ticket=",
    "base64url.bearer.",
    "sbp_",
    "gsk_",
    "ghp_",
    "github_pat_",
    "AKIA",
    "tvly-",
    "://",
    "earer ",
];

/// What is kept stands in the first group: it says which secret it was. A key ends where no key goes on,
/// so that a line of JSON stays one; `ZXlK` is how the beginning of a JWT looks in base64, as browsers hand it
/// over, and behind `patter_` there are the 43 characters of a token of our own, longer than any name; a password ends with the last `@`, as somebody may not have escaped
/// those in it, and that of a database may have a `/` too. Before `sk-` there is no letter, as in `task-`, unless it ends a
/// colour, an escape of JSON or one of a URL.
///
/// What is looked for by where it ends has a limit: else each of many beginnings would be followed to the end
/// of the line. Bytes and not characters are counted, which keeps the limits cheap.
const SECRETS: &str = r#"(?x-u)
    ( (?: ^ | [^A-Za-z0-9] | \x1b\[[0-9;]*m | \\[nrtbf] | \\u[0-9a-f]{4} | %[0-9A-Fa-f]{2} ) sk- ) [A-Za-z0-9_-]{12,}
  | ( sbp_ | gsk_ | ghp_ | github_pat_ | tvly- ) [A-Za-z0-9_-]{16,}
  | ( AKIA ) [A-Z0-9]{16}
  | ( AIza ) [A-Za-z0-9_-]{20,}
  | ( eyJ ) [A-Za-z0-9_-]{6,} (?: \. [A-Za-z0-9_-]* ){1,2}
  | ( ZXlK ) [A-Za-z0-9_-]{20,}
  | ( sb_secret_ | sb_publishable_ ) [A-Za-z0-9_-]+
  | ( patter_ ) [A-Za-z0-9_-]{43,}
  | ( \b ticket= ) [^\s&"'`<>\\]+
  | ( base64url\.bearer\. ) [A-Za-z0-9._~+/=-]+
  | ( [Bb]earer\x20 ) [A-Za-z0-9._~+/=-]{8,}
  | ( (?: postgres | postgresql | redis | amqp ) :// [^\s:/@"'`<>]{0,128} : ) [^\s"'`<>]{1,256} @
  | ( [A-Za-z][A-Za-z0-9+.-]{0,31} :// [^\s:/@"'`<>]{0,128} : ) (?: [^\s"'`<>\\/] | \\. ){1,256} @
"#;

static SCRUBBER: LazyLock<Option<Scrubber>> = LazyLock::new(|| {
    // Both are constant: the tests would find that one of them cannot be read.
    let (signs, secrets) = (AhoCorasick::new(SIGNS).ok()?, Regex::new(SECRETS).ok()?);
    Some(Scrubber { signs, secrets })
});

struct Scrubber {
    signs: AhoCorasick,
    secrets: Regex,
}

impl Scrubber {
    fn scrub<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.signs.is_match(line) {
            return Cow::Borrowed(line);
        }
        self.secrets.replace_all(line, |found: &Captures<'_>| {
            let kept = found.iter().skip(1).flatten().next();
            let mut shown = kept
                .map(|kept| kept.as_bytes().to_vec())
                .unwrap_or_default();
            shown.extend_from_slice(MASK);
            if found
                .get(0)
                .is_some_and(|all| all.as_bytes().ends_with(b"@"))
            {
                shown.push(b'@');
            }
            shown
        })
    }
}

/// Writes lines without their secrets.
#[derive(Debug, Clone)]
pub(super) struct Scrubbed<W> {
    pub(super) writer: W,
    pub(super) has_colours: bool,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Scrubbed<W> {
    type Writer = ScrubbedWriter<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        ScrubbedWriter {
            writer: self.writer.make_writer(),
            has_colours: self.has_colours,
        }
    }
}

#[derive(Debug)]
pub(super) struct ScrubbedWriter<W> {
    writer: W,
    has_colours: bool,
}

impl<W: Write> Write for ScrubbedWriter<W> {
    /// A line comes as a whole, and is written as one.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &*SCRUBBER {
            Some(scrubber) => {
                let line = scrubber.scrub(line);
                self.writer
                    .write_all(&plain_line(&line, self.has_colours))?;
            }
            // What cannot be looked through is not shown.
            None => self.writer.write_all(b"?\n")?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(line: &str) -> String {
        let mut written = Vec::new();
        let mut writer = ScrubbedWriter {
            writer: &mut written,
            has_colours: true,
        };
        writer.write_all(line.as_bytes()).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn what_looks_like_a_secret_is_masked() {
        for (line, shown) in [
            ("key sk-proj-abcdefghijklmnop!", "key sk-***!"),
            ("sk-abcdefghijklmnop", "sk-***"),
            (
                "error\x1b[0m=\x1b[2msk-abcdefghijklmnop",
                "error\x1b[0m=\x1b[2msk-***",
            ),
            (
                "?key=AIzaSyA1234567890abcdefghijklmnopqrstu&x",
                "?key=AIza***&x",
            ),
            (
                r#"{"a":"eyJhbGciOiJI.eyJzdWIiOiIx.c2ln_x-"}"#,
                r#"{"a":"eyJ***"}"#,
            ),
            ("sb_secret_abc-DEF_1.", "sb_secret_***."),
            ("sb_publishable_abc-DEF_1&", "sb_publishable_***&"),
            ("a ZXlKaGJHY2lPaUpJVXpJMU5pSjku-_x", "a ZXlK***"),
            (
                "patter_abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE!",
                "patter_***!",
            ),
            (
                "GET /ws/session/a?ticket=abc-_1&after=2",
                "GET /ws/session/a?ticket=***&after=2",
            ),
            (
                "patter.v1, base64url.bearer.YWJj_-, x",
                "patter.v1, base64url.bearer.***, x",
            ),
            (r"a\nsk-abcdefghijklmnop", r"a\nsk-***"),
            ("/x%0Ask-abcdefghijklmnop", "/x%0Ask-***"),
            ("ghp_abcdefghijklmnopqrst", "ghp_***"),
            ("AKIAABCDEFGHIJKLMNOP", "AKIA***"),
            (
                "Authorization: Bearer abc.def+ghi/jkl=",
                "Authorization: Bearer ***",
            ),
            (
                "postgres://user:pass@host:5432/db",
                "postgres://user:***@host:5432/db",
            ),
            (
                "postgres://user:p@ss/w:rd@host/db",
                "postgres://user:***@host/db",
            ),
            (r#""https://u:a\"b@host/""#, r#""https://u:***@host/""#),
            ("a://b:c@d e://f:g@h", "a://b:***@d e://f:***@h"),
        ] {
            assert_eq!(scrubbed(line), shown, "{line}");
        }
    }

    #[test]
    fn what_is_none_is_left_alone() {
        for line in [
            "a task-with-a-very-long-name is done",
            "http://127.0.0.1:8000/api/sessions/a",
            "http://127.0.0.1:8000/a@b",
            "user@example.com",
            "eyJust a word",
            "sk-short",
            "patter_test_0192f0c0a1b2c3d4e5f60718293a4b5c",
            "a ticket of mine",
            "",
        ] {
            assert_eq!(scrubbed(line), line);
        }
    }
}
