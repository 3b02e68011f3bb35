//! The numbers and quotations of a summary, which can be read back: a long conversation is
//! summarized in parts, and the summaries of the parts become one.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use crate::demo::words::counted;

/// How many topics are named.
pub(super) const TOPICS: usize = 5;
const BEGAN: &str = " It began with “";
const LAST: &str = " The last question was “";

/// What a summary says.
#[derive(Debug, Default)]
pub(super) struct Digest {
    pub(super) messages: usize,
    pub(super) answers: usize,
    pub(super) topics: Vec<String>,
    /// How often each tool was used.
    pub(super) tools: BTreeMap<String, usize>,
    pub(super) first: Option<String>,
    /// The last message, and its answer.
    pub(super) last: Option<(String, Option<String>)>,
}

impl Digest {
    /// Reads the summary of a part, which the line `part: ...` holds.
    pub(super) fn read(line: &str) -> Option<Self> {
        let text = line.strip_prefix("part: The person wrote ")?;
        let (counts, rest) = text.split_once('.')?;
        let (messages, answers) = counts.split_once(" and got ")?;
        let (rest, last) = match rest.split_once(LAST) {
            Some((rest, last)) => (rest, Some(read_last(last)?)),
            None => (rest, None),
        };
        let (rest, first) = match rest.split_once(BEGAN) {
            Some((rest, first)) => (rest, Some(first.strip_suffix("”.")?.to_owned())),
            None => (rest, last.as_ref().map(|(last, _)| last.clone())),
        };
        let listed = |name: &str| {
            let list = rest.split_once(name).map_or("", |(_, list)| list);
            let list = list.split('.').next().unwrap_or_default();
            list.split(", ").filter(|it| !it.is_empty())
        };
        let tools = listed(" Tools used: ").map(|tool| {
            let (name, times) = tool.split_once(" (")?;
            Some((name.to_owned(), number(times)?))
        });
        Some(Self {
            messages: number(messages)?,
            answers: number(answers)?,
            topics: listed(" Topics: ").map(str::to_owned).collect(),
            tools: tools.collect::<Option<_>>()?,
            first,
            last,
        })
    }

    /// This part and the next as one.
    pub(super) fn join(mut self, next: Self) -> Self {
        self.messages += next.messages;
        self.answers += next.answers;
        for topic in next.topics {
            if self.topics.len() < TOPICS && !self.topics.contains(&topic) {
                self.topics.push(topic);
            }
        }
        for (name, times) in next.tools {
            *self.tools.entry(name).or_default() += times;
        }
        self.first = self.first.or(next.first);
        self.last = next.last.or(self.last);
        self
    }
}

fn read_last(text: &str) -> Option<(String, Option<String>)> {
    if let Some(said) = text.strip_suffix("”, which got no answer.") {
        return Some((said.to_owned(), None));
    }
    let (said, answer) = text.strip_suffix("”.")?.split_once("”, answered with “")?;
    Some((said.to_owned(), Some(answer.to_owned())))
}

/// The number that the text begins with.
fn number(text: &str) -> Option<usize> {
    text.split(' ').next()?.parse().ok()
}

impl Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages = counted(self.messages, "message");
        let answers = counted(self.answers, "answer");
        write!(f, "The person wrote {messages} and got {answers}.")?;
        if !self.topics.is_empty() {
            write!(f, " Topics: {}.", self.topics.join(", "))?;
        }
        if !self.tools.is_empty() {
            let tools: Vec<String> = self
                .tools
                .iter()
                .map(|(name, times)| format!("{name} ({})", counted(*times, "result")))
                .collect();
            write!(f, " Tools used: {}.", tools.join(", "))?;
        }
        if let Some(first) = self.first.as_ref().filter(|_| self.messages > 1) {
            write!(f, "{BEGAN}{first}”.")?;
        }
        match &self.last {
            Some((said, Some(answer))) => write!(f, "{LAST}{said}”, answered with “{answer}”."),
            Some((said, None)) => write!(f, "{LAST}{said}”, which got no answer."),
            None => Ok(()),
        }
    }
}
