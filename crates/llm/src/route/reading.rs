//! A message and where it stands, and what has been found out about it so far.

use std::fmt;

use icu_properties::props::Script;
use serde_json::{Map, Value};

use super::script;
use super::words::{Found, Words};

/// Text is searched up to here: what a message is about is said in its beginning, and matching
/// must stay fast for one of a megabyte.
const SEARCHED_BYTES: usize = 8 * 1024;

/// A message, and the conversation it comes in.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// The text of the message.
    pub text: &'a str,
    /// What the session was opened with.
    pub session_metadata: &'a Map<String, Value>,
    /// What came with the message.
    pub message_metadata: &'a Map<String, Value>,
    /// How many turns the conversation had before this message.
    pub turns: u64,
}

impl fmt::Debug for Situation<'_> {
    /// Without what the person said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Situation")
            .field("text_bytes", &self.text.len())
            .field("turns", &self.turns)
            .finish_non_exhaustive()
    }
}

/// A [`Situation`] with what the routes ask of it, each found out when it is first asked for.
pub(super) struct Reading<'a> {
    situation: Situation<'a>,
    words: &'a Words,
    searched: &'a str,
    length: Option<u64>,
    script: Option<Option<Script>>,
    found: Option<Found>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(situation: &Situation<'a>, words: &'a Words) -> Self {
        let text = situation.text;
        Self {
            situation: *situation,
            words,
            searched: text
                .get(..text.floor_char_boundary(SEARCHED_BYTES))
                .unwrap_or(text),
            length: None,
            script: None,
            found: None,
        }
    }

    /// All of the text.
    pub(super) fn text(&self) -> &'a str {
        self.situation.text
    }

    /// As much of the text as is searched.
    pub(super) fn searched(&self) -> &'a str {
        self.searched
    }

    /// Characters of all of the text.
    pub(super) fn length(&mut self) -> u64 {
        *self
            .length
            .get_or_insert_with(|| self.situation.text.chars().count() as u64)
    }

    /// The script of most letters.
    pub(super) fn script(&mut self) -> Option<Script> {
        *self
            .script
            .get_or_insert_with(|| script::dominant(self.searched))
    }

    /// Whether the text has the word of this number.
    pub(super) fn has_word(&mut self, word: usize) -> bool {
        self.found
            .get_or_insert_with(|| self.words.find(self.searched))
            .has(word)
    }

    /// The value of a key, the message's own before the session's.
    pub(super) fn metadata(&self, key: &str) -> Option<&'a Value> {
        let Situation {
            message_metadata,
            session_metadata,
            ..
        } = self.situation;
        message_metadata
            .get(key)
            .or_else(|| session_metadata.get(key))
    }

    /// The tools that the message's metadata names.
    pub(super) fn wanted_tools(&self) -> impl Iterator<Item = &'a str> {
        let metadata = self.situation.message_metadata;
        let many = metadata.get("tools").and_then(Value::as_array);
        let one = metadata.get("tool").into_iter();
        one.chain(many.into_iter().flatten())
            .filter_map(Value::as_str)
    }

    pub(super) fn turns(&self) -> u64 {
        self.situation.turns
    }
}
