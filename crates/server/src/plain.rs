//! Text of others on a terminal or in a line of a log: users, models, tools and servers wrote it, and none
//! of them gets to move the cursor, set the clipboard, begin a line of its own, or turn round what is
//! read. What could is shown as JSON writes it, `\u001b`, so that a JSON document stays the same document.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// The text with all that would act instead of being read escaped. Lines and tabs stay.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, |character| matches!(character, '\n' | '\t'))
}

/// A line of a log, of which no more than the end is one. The colours stay where the log has some: that
/// is all that may begin with an escape, and what is told in the line has lost its own before.
pub(crate) fn plain_line(line: &[u8], has_colours: bool) -> Cow<'_, [u8]> {
    let (line, end) = match line.split_last() {
        Some((b'\n', line)) => (line, "\n"),
        _ => (line, ""),
    };
    let is_harmless = |byte: &u8| matches!(byte, b' '..=b'~');
    if line.iter().all(is_harmless) {
        return match end {
            "" => Cow::Borrowed(line),
            _ => Cow::Owned([line, end.as_bytes()].concat()),
        };
    }
    let text = String::from_utf8_lossy(line);
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest: &str = &text;
    while has_colours && let Some((before, colour, after)) = next_colour(rest) {
        shown.push_str(&escaped(before, |_| false));
        shown.push_str(colour);
        rest = after;
    }
    shown.push_str(&escaped(rest, |_| false));
    shown.push_str(end);
    Cow::Owned(shown.into_bytes())
}

/// Writes text [`plain`]ly.
#[derive(Debug)]
pub struct PlainWriter<W>(pub W);

impl<W: Write> Write for PlainWriter<W> {
    /// What comes is whole characters.
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let shown = String::from_utf8_lossy(text);
        self.0.write_all(plain(&shown).as_bytes())?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn escaped(text: &str, may_stay: fn(char) -> bool) -> Cow<'_, str> {
    let acts = |character: char| acts(character) && !may_stay(character);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if !acts(character) {
            shown.push(character);
            continue;
        }
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // A string takes everything.
                    let _taken = write!(shown, "\\u{unit:04x}");
                }
            }
        }
    }
    Cow::Owned(shown)
}

/// Whether it does something, or is not seen at all: controls, what turns the direction of what follows
/// (the marks that only weigh in, as Arabic and Hebrew have them, stay), ends of lines that not everything
/// takes for one, and the tags, in which whole sentences hide.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The first colour, with what stands before and behind it.
fn next_colour(text: &str) -> Option<(&str, &str, &str)> {
    let mut searched = 0;
    loop {
        let begin = searched + text.get(searched..)?.find("\x1b[")?;
        let inner = text.get(begin + 2..)?;
        let length = inner
            .find(|character: char| !character.is_ascii_digit() && character != ';')
            .unwrap_or(inner.len());
        let end = begin + 2 + length;
        if text.get(end..)?.starts_with('m') {
            return Some((
                text.get(..begin)?,
                text.get(begin..=end)?,
                text.get(end + 1..)?,
            ));
        }
        searched = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, has_colours: bool) -> String {
        String::from_utf8(plain_line(text.as_bytes(), has_colours).into_owned()).unwrap()
    }

    /// Input 93.
    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (text, shown) in [
            ("\x1b]52;c;aGk=\x07", r"\u001b]52;c;aGk=\u0007"),
            ("\x1b[2J\x1b[31mred", r"\u001b[2J\u001b[31mred"),
            ("a\rb\u{8}\u{7f}", r"a\rb\u0008\u007f"),
            ("\u{9b}2J\u{9d}0;t\u{9c}", r"\u009b2J\u009d0;t\u009c"),
            ("user\u{202e}nimda\u{202c}", r"user\u202enimda\u202c"),
            ("\u{2066}a\u{2069}\u{2028}b", r"\u2066a\u2069\u2028b"),
            ("\u{e0041}\u{e007f}", r"\udb40\udc41\udb40\udc7f"),
        ] {
            assert_eq!(plain(text), shown);
            assert_eq!(line(text, false), shown);
        }
    }

    #[test]
    fn what_is_only_text_stays() {
        for text in ["a\tb\nc\n", "שלום \u{200f}!", "👩\u{200d}💻 é ①", r"\u001b"] {
            assert!(matches!(plain(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn a_json_document_stays_the_same_document() {
        let value = serde_json::json!({ "a\u{7f}": ["\u{202e}\u{e0041}\u{9b}\n\x1b", "\u{2028}"] });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let shown = plain(&text);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
        assert!(!shown.contains(|it| acts(it) && it != '\n'));
    }

    /// Input 95.
    #[test]
    fn a_line_of_a_log_is_one_line() {
        let faked = "user=a\n{\"level\":\"ERROR\"}\r\n2026 INFO fine\n";
        let shown = "user=a\\n{\"level\":\"ERROR\"}\\r\\n2026 INFO fine\n";
        assert_eq!(line(faked, false), shown);
        assert_eq!(line(faked, true), shown);
        assert_eq!(line("no end", false), "no end");
    }

    #[test]
    fn a_log_keeps_its_colours_and_nothing_else_that_begins_so() {
        let text = "\x1b[2m2026\x1b[0m \x1b[1;31mERROR\x1b[0m é \x1b[2J\x1b[3\x1b[4m\x1b]0;t\n";
        let shown =
            "\x1b[2m2026\x1b[0m \x1b[1;31mERROR\x1b[0m é \\u001b[2J\\u001b[3\x1b[4m\\u001b]0;t\n";
        assert_eq!(line(text, true), shown);
        assert!(!line(text, false).contains('\x1b'));
    }

    proptest::proptest! {
        #[test]
        fn no_text_gets_through_that_acts(text in "\\PC{0,20}[\\x00-\\x1f\\x7f-\\x9f\u{202a}-\u{202e}a-z]{0,20}") {
            let shown = line(&text, false);
            proptest::prop_assert!(!shown.trim_end_matches('\n').contains(acts));
            proptest::prop_assert!(!plain(&text).contains(|it| acts(it) && it != '\n' && it != '\t'));
        }
    }
}
