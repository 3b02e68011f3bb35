//! Words and phrases of all routes, searched for in a text in one pass.
//!
//! The text is folded once (case by Unicode, each run of white space to one space), an
//! Aho-Corasick automaton finds every word in it, and a hit counts where it has the edges of
//! a word. Time is linear in the text, apart from words that overlap.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, BuildError};
use icu_casemap::CaseMapper;
use icu_properties::props::{
    Alphabetic, GeneralCategory, GeneralCategoryGroup, JoinControl, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};

use super::script;

/// Words by number. Made by [`WordList`].
#[derive(Debug, Default)]
pub(super) struct Words {
    /// `None` where there are no words.
    automaton: Option<AhoCorasick>,
}

/// Gathers words and numbers them.
#[derive(Debug, Default)]
pub(super) struct WordList {
    words: Vec<String>,
    numbers: HashMap<String, usize>,
}

/// Which words a text has.
#[derive(Debug)]
pub(super) struct Found {
    words: Vec<bool>,
}

impl WordList {
    /// The number of this word or phrase; `None` where there is nothing in it.
    pub(super) fn number(&mut self, word: &str) -> Option<usize> {
        let word = fold(word.trim());
        if word.is_empty() {
            return None;
        }
        let next = self.words.len();
        let number = *self.numbers.entry(word.clone()).or_insert(next);
        if number == next {
            self.words.push(word);
        }
        Some(number)
    }

    /// Fails where there are too many words for an automaton.
    pub(super) fn build(self) -> Result<Words, BuildError> {
        let automaton = match self.words.as_slice() {
            [] => None,
            words => Some(AhoCorasick::new(words)?),
        };
        Ok(Words { automaton })
    }
}

impl Words {
    /// All words that the text has.
    pub(super) fn find(&self, text: &str) -> Found {
        let Some(automaton) = &self.automaton else {
            return Found { words: Vec::new() };
        };
        let mut words = vec![false; automaton.patterns_len()];
        let text = fold(text);
        for hit in automaton.find_overlapping_iter(&text) {
            if let Some(found) = words.get_mut(hit.pattern().as_usize()) {
                *found = *found || (is_edge(&text, hit.start()) && is_edge(&text, hit.end()));
            }
        }
        Found { words }
    }
}

impl Found {
    pub(super) fn has(&self, word: usize) -> bool {
        self.words.get(word).copied().unwrap_or_default()
    }
}

/// What each character of the Basic Multilingual Plane folds to; 0 where that is several
/// characters. Ten times as fast as asking for each.
static FOLDED: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let one = |unit: u16| {
        let folded = fold_in_full(char::from_u32(unit.into())?);
        let mut characters = folded.chars();
        let (first, second) = (characters.next()?, characters.next());
        second.map_or(u16::try_from(u32::from(first)).ok(), |_| None)
    };
    (0..=u16::MAX).map(|unit| one(unit).unwrap_or(0)).collect()
});

fn fold_in_full(character: char) -> String {
    let folder = CaseMapper::new();
    folder
        .fold_string(character.encode_utf8(&mut [0; 4]))
        .into_owned()
}

/// The text without what does not tell words apart: in the case that Unicode folds to, with each
/// run of white space as one space.
fn fold(text: &str) -> String {
    let table = FOLDED.as_slice();
    let mut folded = String::with_capacity(text.len());
    // What stays as it is is copied in whole runs.
    let mut copied = 0;
    let mut after_space = false;
    for (at, character) in text.char_indices() {
        let is_space = character.is_whitespace();
        let one = match table.get(character as usize) {
            _ if is_space => (!after_space).then_some(' '),
            Some(0) => None,
            Some(unit) => char::from_u32(u32::from(*unit)),
            None => Some(CaseMapper::new().simple_fold(character)),
        };
        after_space = is_space;
        if one == Some(character) {
            continue;
        }
        folded.push_str(text.get(copied..at).unwrap_or_default());
        copied = at + character.len_utf8();
        match one {
            Some(one) => folded.push(one),
            None if is_space => {}
            None => folded.push_str(&fold_in_full(character)),
        }
    }
    folded.push_str(text.get(copied..).unwrap_or_default());
    folded
}

/// Whether a word may begin or end here: not between two characters of one word.
fn is_edge(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|it| it.chars().next_back());
    let after = text.get(at..).and_then(|it| it.chars().next());
    !(before.is_some_and(is_joined) && after.is_some_and(is_joined))
}

/// Whether words hold together at this character: what a regular expression means by `\w`
/// (UTS 18, annex C), in scripts that put spaces between words.
fn is_joined(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    // The marks that lengthen a kana are of no script.
    is_word_character(character)
        && !has_no_spaces(script::of(character))
        && !matches!(character, 'ー' | 'ｰ')
}

fn is_word_character(character: char) -> bool {
    const CATEGORIES: GeneralCategoryGroup = GeneralCategoryGroup::Mark
        .union(GeneralCategoryGroup::DecimalNumber)
        .union(GeneralCategoryGroup::ConnectorPunctuation);
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    CATEGORIES.contains(category)
        || CodePointSetData::new::<Alphabetic>().contains(character)
        || CodePointSetData::new::<JoinControl>().contains(character)
}

/// Hangul has spaces, but writes particles onto the word before.
fn has_no_spaces(script: Script) -> bool {
    [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Hangul,
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
    ]
    .contains(&script)
}
