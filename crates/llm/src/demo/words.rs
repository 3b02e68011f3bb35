//! Words: to stream, to look for, and to count.

/// The text in pieces of one word each, with the white space behind it.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

/// Whether the words occur in the text next to each other, as whole words, in any case.
pub(super) fn has(text: &str, words: &str) -> bool {
    let wanted: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let found: Vec<String> = text.split_whitespace().map(bare).collect();
    found.windows(wanted.len()).any(|window| window == wanted)
}

/// Whether any of the phrases occurs.
pub(super) fn has_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|words| has(text, words))
}

/// The word without the punctuation around it, lower-case, and without the `'s` of "what's".
pub(super) fn bare(word: &str) -> String {
    let word = trim(word).to_lowercase().replace('’', "'");
    word.strip_suffix("'s").unwrap_or(&word).to_owned()
}

/// The word without the punctuation around it.
pub(super) fn trim(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// At most so many characters of a text, on one line.
pub(super) fn short(text: &str, characters: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= characters {
        return line;
    }
    let cut: String = line.chars().take(characters.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// The first bytes of a text, at most so many, cut between characters.
pub(super) fn start(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// "1 message", "2 messages".
pub(super) fn counted(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}
