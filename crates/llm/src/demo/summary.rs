//! Summaries that are cut out of a transcript: topics, counts, tools, the last question.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::demo::summary::digest::{Digest, TOPICS};
use crate::demo::words::{bare, short};
use crate::message::Message;

mod digest;

/// How many sentences are taken from a text that is no transcript.
const SENTENCES: usize = 5;
/// Words that are no topic.
const COMMON: &str = "times what which who whom whose when where why how the and but for with about \
    from into over this that these those there here have has had did does done doing going was were \
    are been will would could should can may might must you your yours mine his her its our their \
    they them please tell show give look some any much many then than also just compare between let \
    want need know like hello hey thanks thank bye goodbye said say yes not";

#[derive(Debug, Default)]
struct Transcript {
    user: Vec<String>,
    answers: Vec<Answer>,
    /// How often each tool was used.
    tools: BTreeMap<String, usize>,
}

/// What was answered to one message, in one piece or in several.
#[derive(Debug)]
struct Answer {
    text: String,
    /// How many messages stand before it.
    after: usize,
}

/// A summary of the transcript, or of summaries of its parts.
pub(super) fn write(transcript: &str) -> String {
    let parts: Option<Vec<Digest>> = transcript.lines().map(Digest::read).collect();
    if let Some(whole) = parts.and_then(|parts| parts.into_iter().reduce(Digest::join)) {
        return whole.to_string();
    }
    let conversation = Transcript::read(transcript);
    if conversation.user.is_empty() && conversation.answers.is_empty() {
        return shorten(transcript);
    }
    conversation.digest().to_string()
}

/// The transcript of these messages.
pub(super) fn transcript(messages: &[Message]) -> String {
    let mut lines = Vec::new();
    for message in messages {
        match message {
            Message::User(message) => lines.push(format!("user: {}", message.joined_text())),
            Message::Assistant(message) => {
                lines.push(format!("assistant: {}", message.joined_text()));
            }
            Message::ToolResults(results) => {
                lines.extend(
                    results
                        .iter()
                        .map(|result| format!("tool {}:", result.name)),
                );
            }
        }
    }
    lines.join("\n")
}

impl Transcript {
    fn read(text: &str) -> Self {
        let mut transcript = Self::default();
        let mut open: Option<&mut String> = None;
        for line in text.lines() {
            if let Some(said) = line.strip_prefix("user:") {
                transcript.user.push(said.trim().to_owned());
                open = transcript.user.last_mut();
            } else if let Some(said) = line.strip_prefix("assistant:") {
                open = transcript.answer(said.trim());
            } else if let Some((name, _)) = line
                .strip_prefix("tool ")
                .and_then(|rest| rest.split_once(':'))
            {
                *transcript.tools.entry(name.trim().to_owned()).or_default() += 1;
                open = None;
            } else if let Some(message) = &mut open {
                message.push('\n');
                message.push_str(line);
            }
        }
        // A step that only called tools is no answer.
        transcript
            .answers
            .retain(|answer| !answer.text.trim().is_empty());
        transcript
    }

    /// Adds to the answer to the last message.
    fn answer(&mut self, said: &str) -> Option<&mut String> {
        let after = self.user.len();
        if self.answers.last().is_none_or(|last| last.after != after) {
            self.answers.push(Answer {
                text: String::new(),
                after,
            });
        }
        let text = &mut self.answers.last_mut()?.text;
        text.push('\n');
        text.push_str(said);
        Some(text)
    }

    fn digest(self) -> Digest {
        let answer = self
            .answers
            .last()
            .filter(|answer| answer.after == self.user.len())
            .map(|answer| short(&gist(&answer.text), 200));
        Digest {
            messages: self.user.len(),
            answers: self.answers.len(),
            topics: topics(&self.user),
            first: self.user.first().map(|text| short(text, 160)),
            last: self.user.last().map(|text| (short(text, 160), answer)),
            tools: self.tools,
        }
    }
}

/// The words of an answer without its Markdown, its tables and what was said before calling tools.
fn gist(answer: &str) -> String {
    const LEFT_OUT: [&str; 4] = ["Let me ", "Now I can ", "|", "_"];
    let lines = answer
        .lines()
        .filter(|line| !LEFT_OUT.iter().any(|beginning| line.starts_with(beginning)))
        .flat_map(str::split_whitespace);
    let text = lines.collect::<Vec<_>>().join(" ");
    text.replace("**", "").replace('`', "")
}

/// The words that the person used most, in the order of their first use.
fn topics(said: &[String]) -> Vec<String> {
    let mut words: HashMap<String, (usize, usize)> = HashMap::new();
    for word in said.iter().flat_map(|text| text.split_whitespace()) {
        let word = bare(word);
        let is_topic = word.chars().count() > 2
            && word.starts_with(char::is_alphabetic)
            && !COMMON.split(' ').any(|common| common == word);
        if is_topic {
            let place = words.len();
            words.entry(word).or_insert((place, 0)).1 += 1;
        }
    }
    let mut most: Vec<(String, (usize, usize))> = words.into_iter().collect();
    most.sort_by_key(|(_, (place, times))| (Reverse(*times), *place));
    most.truncate(TOPICS);
    most.sort_by_key(|(_, (place, _))| *place);
    most.into_iter().map(|(word, _)| word).collect()
}

/// The first sentence of each paragraph: for summaries of parts that are to become one.
fn shorten(text: &str) -> String {
    let first = |paragraph: &str| {
        let sentence = paragraph
            .split_inclusive(['.', '!', '?'])
            .next()
            .unwrap_or(paragraph);
        short(sentence, 240)
    };
    let sentences: Vec<String> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(first)
        .take(SENTENCES)
        .collect();
    if sentences.is_empty() {
        "Nothing was said.".to_owned()
    } else {
        sentences.join(" ")
    }
}
