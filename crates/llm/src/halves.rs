//! Characters that a server cut in half.
//!
//! JSON writes a character beyond U+FFFF as two escapes, such as `\ud83c\udf0a` (RFC 8259,
//! section 7). A server that counts text in such halves may put one at the end of a piece and the
//! other at the beginning of the next, and JSON with half a character in it is none.

use std::borrow::Cow;

use memchr::memchr_iter;

/// Bytes of an escape such as `\ud83c`.
const ESCAPE: usize = 6;
/// What stands for a half whose other half never came.
const REPLACEMENT: &str = "\\ufffd";

/// Puts halves together again that came in two pieces of one answer.
#[derive(Debug, Default)]
pub(crate) struct Halves {
    /// The escape of a first half that waits for its second.
    first: Option<String>,
}

impl Halves {
    /// The piece with whole characters only: a first half is taken out and put before the second
    /// one that comes later, a second half alone is replaced. Copies nothing else.
    pub(crate) fn mend<'a>(&mut self, piece: &'a str) -> Cow<'a, str> {
        let mut mended = String::new();
        let mut done = 0;
        let mut from = 0;
        while let Some((at, half)) = next_half(piece, from) {
            from = at + ESCAPE;
            let second = next_half(piece, from)
                .filter(|(next, half)| *next == from && *half == Half::Second)
                .is_some();
            if half == Half::First && second {
                from += ESCAPE;
                continue;
            }
            mended.push_str(piece.get(done..at).unwrap_or_default());
            done = from;
            let escape = piece.get(at..from).unwrap_or_default();
            match (half, self.first.take()) {
                (Half::First, _) => self.first = Some(escape.to_owned()),
                (Half::Second, Some(first)) => {
                    mended.push_str(&first);
                    mended.push_str(escape);
                }
                (Half::Second, None) => mended.push_str(REPLACEMENT),
            }
        }
        if done == 0 {
            return Cow::Borrowed(piece);
        }
        mended.push_str(piece.get(done..).unwrap_or_default());
        Cow::Owned(mended)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

/// Where the next escape of a half begins, at or after `from`.
fn next_half(piece: &str, from: usize) -> Option<(usize, Half)> {
    let bytes = piece.as_bytes();
    memchr_iter(b'\\', bytes.get(from..)?)
        .map(|found| from + found)
        .filter(|at| bytes.get(at + 1) == Some(&b'u') && !is_escaped(bytes, *at))
        .find_map(|at| {
            let digits = piece.get(at + 2..at + ESCAPE)?;
            match u16::from_str_radix(digits, 16).ok()? {
                0xd800..0xdc00 => Some((at, Half::First)),
                0xdc00..0xe000 => Some((at, Half::Second)),
                _ => None,
            }
        })
}

/// Whether the backslash at this place is itself escaped: an odd number of them stands before it.
fn is_escaped(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    before
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count()
        % 2
        == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_characters_are_left_as_they_are() {
        let mut halves = Halves::default();
        for piece in [
            r#"{"a":"plain"}"#,
            r#"{"a":"\u00fc \ud83c\udf0a\ud83c\udf0a"}"#,
            r#"{"a":"a backslash, then text: \\ud83c"}"#,
            r#"{"a":"\u"}"#,
            r#"{"a":"\ud8"#,
        ] {
            assert!(matches!(halves.mend(piece), Cow::Borrowed(same) if same == piece));
        }
    }

    #[test]
    fn halves_of_two_pieces_are_put_together() {
        let mut halves = Halves::default();
        assert_eq!(halves.mend(r#"{"a":"wave \ud83c"}"#), r#"{"a":"wave "}"#);
        assert_eq!(halves.mend(r#"{"b":1}"#), r#"{"b":1}"#);
        assert_eq!(
            halves.mend(r#"{"a":"\udf0a!"}"#),
            r#"{"a":"\ud83c\udf0a!"}"#
        );
    }

    #[test]
    fn a_half_alone_is_replaced_or_left_out() {
        let mut halves = Halves::default();
        assert_eq!(halves.mend(r#"["\udf0a\ud83c"]"#), r#"["\ufffd"]"#);
        assert_eq!(halves.mend(r#"["\ud83c"]"#), r#"[""]"#);
    }
}
