//! The piece of a text around the words that were searched for.
//!
//! Made here and not by the databases, so that it is the same for both, and no sign that a text may
//! hold itself has to tell the words from what is around them.

use super::ExcerptPart;
use super::text::is_in_word;

/// So much of a text is looked through, in characters. A word that comes later is found by the search
/// and not shown.
pub(crate) const EXCERPT_TEXT_CHARS: u32 = 20_000;
/// How long an excerpt is, about, and how much of it stands before the first word, in characters.
const CHARS: usize = 240;
const CHARS_BEFORE: usize = 60;

/// Makes an excerpt. `is_match` is asked about each word, in lower case.
pub(crate) fn of(text: &str, is_match: impl Fn(&str) -> bool) -> Vec<ExcerptPart> {
    let pieces = pieces(text);
    let is_match = |piece: &str| piece.starts_with(is_in_word) && is_match(&piece.to_lowercase());
    let first = pieces.iter().position(|piece| is_match(piece)).unwrap_or(0);
    // Back from the first word, then on from there.
    let mut before = 0;
    let mut start = first;
    for (index, piece) in pieces.iter().enumerate().take(first).rev() {
        before += piece.chars().count();
        if before > CHARS_BEFORE {
            break;
        }
        start = index;
    }
    let mut parts: Vec<ExcerptPart> = Vec::new();
    if start > 0 {
        push(&mut parts, "…", false);
    }
    let mut length = 0;
    for piece in pieces.iter().skip(start) {
        let room = CHARS.saturating_sub(length);
        let chars = piece.chars().count();
        if chars > room {
            // A word without an end is cut.
            if length < CHARS / 2 {
                let cut: String = piece.chars().take(room).collect();
                push(&mut parts, &cut, is_match(piece));
            }
            push(&mut parts, "…", false);
            break;
        }
        length += chars;
        push(&mut parts, piece, is_match(piece));
    }
    parts
}

/// The words of a text and what is between them, in order.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = is_in_word(first);
        let end = rest
            .find(|c| is_in_word(c) != is_word)
            .unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

fn push(parts: &mut Vec<ExcerptPart>, text: &str, is_match: bool) {
    match parts.last_mut() {
        Some(last) if last.is_match == is_match => last.text.push_str(text),
        _ => parts.push(ExcerptPart {
            text: text.to_owned(),
            is_match,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, word: &str) -> String {
        let parts = of(text, |found| found == word);
        let parts = parts.into_iter().map(|part| match part.is_match {
            true => format!("[{}]", part.text),
            false => part.text,
        });
        parts.collect()
    }

    #[test]
    fn words_are_marked_and_nothing_else() {
        assert_eq!(
            shown("A Cat, a cat's cats; <b>cat</b>", "cat"),
            "A [Cat], a [cat]'s cats; <b>[cat]</b>"
        );
        assert_eq!(shown("nothing", "cat"), "nothing");
        assert_eq!(shown("", "cat"), "");
        assert_eq!(shown("été", "été"), "[été]");
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_word_that_matches() {
        let text = format!(
            "{}the cat sat {}",
            "before it ".repeat(50),
            "and after it ".repeat(50)
        );
        let shown = shown(&text, "cat");
        assert!(shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert!(shown.contains("the [cat] sat"), "{shown}");
        assert!(shown.chars().count() < CHARS + 10, "{shown}");
    }

    #[test]
    fn a_word_without_an_end_is_cut() {
        assert_eq!(shown(&"a".repeat(1000), "b").chars().count(), CHARS + 1);
        let shown = shown(&format!("cat {}", "🦀".repeat(1000)), "cat");
        assert_eq!(shown.chars().count(), CHARS + "[]…".chars().count());
    }
}
