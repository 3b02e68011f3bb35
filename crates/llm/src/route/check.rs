//! One condition, compiled: the only place that says whether it holds.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use icu_properties::props::Script;
use regex::Regex;
use serde_json::Value;

use super::reading::Reading;
use super::script;

/// A condition; see [`Conditions`](crate::Conditions) for what each means.
#[derive(Debug)]
pub(super) enum Check {
    Turns(RangeInclusive<u64>),
    Length(RangeInclusive<u64>),
    /// A key and the values that will do.
    Metadata(String, Vec<Value>),
    Script(Vec<Script>),
    Words(Vec<Word>),
    Tool(Vec<Word>),
    Pattern(Vec<Regex>),
}

/// A word or the name of a tool.
#[derive(Debug)]
pub(super) struct Word {
    /// As it was written.
    pub(super) text: String,
    /// In the [`Words`](super::words::Words) of the router.
    pub(super) number: usize,
}

impl Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Check {
    /// Whether the condition holds.
    pub(super) fn holds(&self, reading: &mut Reading<'_>) -> bool {
        match self {
            Self::Turns(range) => range.contains(&reading.turns()),
            Self::Length(range) => range.contains(&reading.length()),
            Self::Metadata(key, values) => reading
                .metadata(key)
                .is_some_and(|given| values.iter().any(|it| equal(it, given))),
            Self::Script(scripts) => reading.script().is_some_and(|it| scripts.contains(&it)),
            Self::Words(words) => words.iter().any(|it| reading.has_word(it.number)),
            Self::Tool(tools) => tools.iter().any(|it| is_wanted(it, reading)),
            Self::Pattern(patterns) => patterns.iter().any(|it| it.is_match(reading.searched())),
        }
    }

    /// The field or fields it was written in.
    pub(super) fn field(&self) -> String {
        match self {
            Self::Turns(_) => "turns".to_owned(),
            Self::Length(_) => "length".to_owned(),
            Self::Metadata(key, _) => format!("metadata.{key}"),
            Self::Script(_) => "script".to_owned(),
            Self::Words(_) => "words".to_owned(),
            Self::Tool(_) => "tool".to_owned(),
            Self::Pattern(_) => "pattern".to_owned(),
        }
    }

    /// What it asks for.
    pub(super) fn wanted(&self) -> String {
        match self {
            Self::Turns(range) | Self::Length(range) => match (*range.start(), *range.end()) {
                (least, u64::MAX) => format!("at least {least}"),
                (0, most) => format!("at most {most}"),
                (least, most) => format!("{least} to {most}"),
            },
            Self::Metadata(_, values) => alternatives(values),
            Self::Script(scripts) => alternatives(scripts.iter().map(|it| script::name(*it))),
            Self::Words(words) | Self::Tool(words) => alternatives(words),
            Self::Pattern(patterns) => alternatives(patterns),
        }
    }

    /// What the message has of it; `None` for nothing.
    pub(super) fn found(&self, reading: &mut Reading<'_>) -> Option<String> {
        let found = match self {
            Self::Turns(_) => reading.turns().to_string(),
            Self::Length(_) => reading.length().to_string(),
            Self::Metadata(key, _) => reading.metadata(key)?.to_string(),
            Self::Script(_) => script::name(reading.script()?).to_owned(),
            Self::Words(words) => {
                alternatives(words.iter().filter(|it| reading.has_word(it.number)))
            }
            Self::Tool(tools) => alternatives(tools.iter().filter(|it| is_wanted(it, reading))),
            Self::Pattern(patterns) => {
                alternatives(patterns.iter().filter(|it| it.is_match(reading.searched())))
            }
        };
        Some(found).filter(|it| !it.is_empty())
    }
}

/// The entries of a list of which one is enough.
pub(super) fn alternatives<E: Display>(entries: impl IntoIterator<Item = E>) -> String {
    let entries: Vec<_> = entries.into_iter().map(|it| it.to_string()).collect();
    entries.join(" | ")
}

fn is_wanted(tool: &Word, reading: &mut Reading<'_>) -> bool {
    reading.wanted_tools().any(|it| it == tool.text) || reading.has_word(tool.number)
}

/// Whether two scalars are equal; numbers by value, so that 1 is 1.0.
fn equal(wanted: &Value, given: &Value) -> bool {
    match (wanted, given) {
        (Value::Number(wanted), Value::Number(given)) if wanted.is_f64() != given.is_f64() => {
            wanted.as_f64() == given.as_f64()
        }
        _ => wanted == given,
    }
}
