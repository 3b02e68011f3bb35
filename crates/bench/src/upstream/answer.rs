//! An answer in the framing of a provider, made piece by piece, each piece when it is due.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::clock;

/// What of an answer that has no rate goes out at once: many events, few system calls.
const BLAST_BYTES: usize = 16 * 1024;
/// A summary is short, and comes at once.
const SUMMARY: Ask = Ask { tokens: 5, rate: 0 };

/// How much is to be answered, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Tokens of the answer.
    pub tokens: u32,
    /// Tokens a second; 0 for as fast as they are taken.
    pub rate: u32,
}

impl Ask {
    /// The message that asks for it.
    #[must_use]
    pub fn to_message(self) -> String {
        let Self { tokens, rate } = self;
        format!("bench tokens={tokens} rate={rate}")
    }

    /// What a request asks for: its last message counts, before which there may be others.
    #[must_use]
    pub fn find(request: &str) -> Option<Self> {
        if request.contains("Summarize the following") {
            return Some(SUMMARY);
        }
        let (_, ask) = request.rsplit_once("bench tokens=")?;
        let (tokens, rest) = ask.split_once(" rate=")?;
        let end = rest.find(|c: char| !c.is_ascii_digit());
        Some(Self {
            tokens: tokens.parse().ok()?,
            rate: rest.split_at(end.unwrap_or(rest.len())).0.parse().ok()?,
        })
    }
}

/// Whose events an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Chat Completions of OpenAI.
    OpenAi,
    /// `streamGenerateContent?alt=sse` of Gemini.
    Gemini,
}

/// An answer that is under way.
#[derive(Debug)]
pub struct Answer {
    framing: Framing,
    ask: Ask,
    began: Instant,
    written: u32,
    is_over: bool,
}

impl Answer {
    /// Begins now.
    #[must_use]
    pub fn begin(framing: Framing, ask: Ask) -> Self {
        Self {
            framing,
            ask,
            began: Instant::now(),
            written: 0,
            is_over: false,
        }
    }

    /// Appends the events that are due next, as soon as they are; `false` when there are no more.
    pub async fn next(&mut self, events: &mut Vec<u8>) -> bool {
        if self.is_over {
            return false;
        }
        if self.written == self.ask.tokens {
            self.framing.end(events);
            self.is_over = true;
            return true;
        }
        if self.ask.rate > 0 {
            let after = Duration::from_secs(u64::from(self.written)) / self.ask.rate;
            sleep_until(self.began + after).await;
            self.token(events);
            return true;
        }
        while self.written < self.ask.tokens && events.len() < BLAST_BYTES {
            self.token(events);
        }
        true
    }

    fn token(&mut self, events: &mut Vec<u8>) {
        self.framing.token(clock::now_ns(), events);
        self.written += 1;
    }
}

impl Framing {
    /// Appends the event of a token that is written at this time.
    pub fn token(self, at_ns: u64, events: &mut Vec<u8>) {
        let (before, after) = match self {
            Self::OpenAi => (
                "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\
                 \"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" ",
                "\"},\"finish_reason\":null}]}\n\n",
            ),
            Self::Gemini => (
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\" ",
                "\"}],\"role\":\"model\"},\"index\":0}],\"modelVersion\":\"bench\"}\r\n\r\n",
            ),
        };
        events.extend_from_slice(before.as_bytes());
        clock::stamp(events, at_ns);
        events.extend_from_slice(after.as_bytes());
    }

    /// Appends the events that end an answer.
    pub fn end(self, events: &mut Vec<u8>) {
        let end = match self {
            Self::OpenAi => {
                "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\
                 \"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
                 data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\
                 \"model\":\"bench\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\
                 \"completion_tokens\":5,\"total_tokens\":14}}\n\n\
                 data: [DONE]\n\n"
            }
            Self::Gemini => {
                "data: {\"candidates\":[{\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":\
                 {\"promptTokenCount\":9,\"candidatesTokenCount\":5,\"totalTokenCount\":14}}\r\n\r\n"
            }
        };
        events.extend_from_slice(end.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_of_a_request_counts() {
        let ask = Ask {
            tokens: 12,
            rate: 50,
        };
        let request = format!(
            "[{{\"content\":\"bench tokens=7 rate=1\"}},{{\"content\":\"{}\"}}]",
            ask.to_message()
        );
        assert_eq!(Ask::find(&request), Some(ask));
        assert_eq!(Ask::find("hello"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_come_at_their_rate() {
        let began = Instant::now();
        let ask = Ask {
            tokens: 101,
            rate: 50,
        };
        let mut answer = Answer::begin(Framing::Gemini, ask);
        let mut events = Vec::new();
        while answer.next(&mut events).await {}
        assert_eq!(began.elapsed(), Duration::from_secs(2));
        assert_eq!(clock::ages(&events, clock::now_ns()).count(), 101);
    }
}
