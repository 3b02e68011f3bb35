//! How much of a conversation a model is shown: all of it while that fits, else the newest exchanges
//! that do, and a running summary of the oldest.

use patter_llm::{Message, TokenCounter};
use patter_protocol::MessageId;

use super::{Conversation, Exchange};

/// The oldest exchanges in few words.
#[derive(Debug)]
pub(super) struct RunningSummary {
    text: String,
    /// So many exchanges, from the oldest on.
    pub(super) covers: usize,
}

/// What a model is shown when it is to answer a message.
#[derive(Debug)]
pub(crate) struct Recall {
    /// In place of the exchanges that are left out, as far as there is one.
    pub(crate) summary: Option<String>,
    /// The newest exchanges and the message.
    pub(crate) messages: Vec<Message>,
    /// Whether exchanges are left out that no summary tells of.
    pub(crate) outgrown: bool,
}

/// What is to be put into the running summary.
#[derive(Debug)]
pub(crate) struct Overflow {
    /// What the summary has so far, and the exchanges that are to be added, line by line.
    lines: Vec<String>,
    covers: usize,
    /// [`Conversation::revision`] when it was found.
    revision: u64,
}

/// So many tokens of messages fit, and how they are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) tokens: u64,
    pub(crate) counter: TokenCounter,
}

impl Room {
    fn without(self, tokens: u64) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(tokens),
            ..self
        }
    }
}

impl Overflow {
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

impl Conversation {
    /// What a model is shown when it is to answer `message_id`: what was answered before, as far
    /// as there is room, and the message. Without a `room` everything fits.
    pub(crate) fn recall(&mut self, message_id: &MessageId, room: Option<Room>) -> Recall {
        let question: Vec<Message> = self
            .find(message_id)
            .map(Exchange::question)
            .into_iter()
            .collect();
        let (first, summary, outgrown) = match room {
            None => (0, None, false),
            Some(room) => self.cut(message_id, room.without(room.counter.messages(&question))),
        };
        let messages = self
            .answered
            .iter()
            .skip(first)
            .filter(|exchange| exchange.message_id != *message_id)
            .flat_map(Exchange::messages)
            .chain(question)
            .collect();
        Recall {
            summary,
            messages,
            outgrown,
        }
    }

    /// Bytes of everything that was answered, as it would go out.
    pub(crate) fn bytes(&mut self) -> u64 {
        let counter = TokenCounter::estimate().bytes();
        let answered = self.answered.iter_mut();
        answered.map(|exchange| exchange.tokens(counter)).sum()
    }

    /// Whether everything that was answered before `message_id` fits, and the message.
    pub(crate) fn fits(&mut self, message_id: &MessageId, room: Room) -> bool {
        let question = self.find(message_id).map(Exchange::question);
        let taken = question.map_or(0, |message| room.counter.message(&message));
        taken <= room.tokens && self.first_that_fits(Some(message_id), room.without(taken)) == 0
    }

    /// The first exchange that is shown, what stands for those before it, and whether it does not
    /// stand for all of them.
    fn cut(&mut self, message_id: &MessageId, room: Room) -> (usize, Option<String>, bool) {
        let first = self.first_that_fits(Some(message_id), room);
        if first == 0 {
            return (0, None, false);
        }
        // A summary that tells of the answer which is being given again is of no use.
        let repeated = self.place_in_answered(message_id).unwrap_or(usize::MAX);
        let Some((text, covers)) = self
            .summary
            .as_ref()
            .filter(|summary| summary.covers <= repeated)
            .map(|summary| (summary.text.clone(), summary.covers))
        else {
            return (first, None, true);
        };
        let taken = room.counter.text(&text);
        if taken > room.tokens {
            // Beside a message that fills the window there is no place for it.
            return (first, None, true);
        }
        let first = self.first_that_fits(Some(message_id), room.without(taken));
        // What the summary covers is not shown again: so requests begin the same for some time.
        (first.max(covers), Some(text), first > covers)
    }

    /// The first of the newest exchanges that fit together; `except` takes no room.
    fn first_that_fits(&mut self, except: Option<&MessageId>, room: Room) -> usize {
        let mut left = room.tokens;
        let mut first = self.answered.len();
        for exchange in self.answered.iter_mut().rev() {
            if Some(&exchange.message_id) != except {
                match left.checked_sub(exchange.tokens(room.counter)) {
                    Some(rest) => left = rest,
                    None => break,
                }
            }
            first -= 1;
        }
        first
    }

    /// What must go into the running summary so that the rest takes half of `room`, which is for
    /// all messages; `None` where the summary tells of it already. The newest exchange stays as
    /// long as it leaves a third, for the summary and the next message.
    pub(crate) fn overflow(&mut self, room: Room) -> Option<Overflow> {
        let half = self.first_that_fits(None, room.without(room.tokens / 2));
        let two_thirds = self.first_that_fits(None, room.without(room.tokens / 3));
        let newest = self.answered.len().saturating_sub(1);
        let covers = half.min(newest).max(two_thirds);
        let covered = self.summary.as_ref().map_or(0, |summary| summary.covers);
        (covers > covered).then(|| Overflow {
            lines: self.lines(covers),
            covers,
            revision: self.revision,
        })
    }

    /// Takes a summary in; not if what it tells of has changed since.
    pub(crate) fn summarized(&mut self, overflow: &Overflow, text: String) {
        if overflow.revision == self.revision {
            self.summary = Some(RunningSummary {
                text,
                covers: overflow.covers,
            });
        }
    }

    /// What was said, line by line, the oldest exchanges by their summary where there is one.
    pub(crate) fn transcript(&self) -> Vec<String> {
        self.lines(usize::MAX)
    }

    /// The same of the newest exchanges alone, as many as have `max_bytes` together and one at least;
    /// and where in the log the first of their messages stands.
    pub(crate) fn newest(&self, max_bytes: usize) -> (Vec<String>, u64) {
        let mut exchanges: Vec<Vec<String>> = Vec::new();
        let mut first = None;
        let mut bytes = 0;
        for exchange in self.answered.iter().chain(&self.waiting).rev() {
            let lines = exchange.lines();
            bytes += lines.iter().map(String::len).sum::<usize>();
            if bytes > max_bytes && !exchanges.is_empty() {
                break;
            }
            exchanges.push(lines);
            first = Some(&exchange.message_id);
        }
        let is_all = exchanges.len() == self.answered.len() + self.waiting.len();
        let place = first.and_then(|id| self.place_of(id).flatten());
        let from_seq = place.filter(|_| !is_all).unwrap_or(1);
        let lines = exchanges.into_iter().rev().flatten().collect();
        (lines, from_seq)
    }

    /// The same of the first `until` exchanges.
    fn lines(&self, until: usize) -> Vec<String> {
        let summary = self.summary.as_ref().filter(|it| it.covers <= until);
        let covered = summary.map_or(0, |summary| summary.covers);
        let exchanges = self.answered.iter().chain(&self.waiting);
        summary
            .map(|summary| format!("summary so far: {}", summary.text))
            .into_iter()
            .chain(
                exchanges
                    .take(until)
                    .skip(covered)
                    .flat_map(Exchange::lines),
            )
            .collect()
    }
}
