//! What a message asks the fake model to say. It stands in the message itself, so that the model,
//! the client and the judge agree on the answer without talking to each other.
//!
//! `say 20 at 200 wide 0 tools 1 fault none for p01-3-7`: twenty tokens, two hundred in a second, no
//! longer than they need be, after one call of a tool, without a fault, in answer to the message
//! `p01-3-7`.

use std::fmt;

/// The answer that a message asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// The id of the message; no blanks in it.
    pub id: String,
    /// Pieces of text in the answer.
    pub tokens: usize,
    /// In a second.
    pub rate: u32,
    /// Bytes that a piece has at least.
    pub width: usize,
    /// Steps before the text, each with one call of a tool: `note` where it is offered, else the calculator.
    pub tools: usize,
    /// A fault of the provider, by the name that `model` knows it by; `none` for none.
    pub fault: String,
}

impl Script {
    /// Ten tokens at once.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            tokens: 10,
            rate: 10_000,
            width: 0,
            tools: 0,
            fault: "none".to_owned(),
        }
    }

    /// So many tokens, so many in a second.
    #[must_use]
    pub fn tokens(mut self, tokens: usize, rate: u32) -> Self {
        self.tokens = tokens;
        self.rate = rate;
        self
    }

    /// Long pieces.
    #[must_use]
    pub fn wide(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Calls of tools before the text.
    #[must_use]
    pub fn tools(mut self, tools: usize) -> Self {
        self.tools = tools;
        self
    }

    /// A fault of the provider.
    #[must_use]
    pub fn fault(mut self, fault: &str) -> Self {
        fault.clone_into(&mut self.fault);
        self
    }

    /// Reads the text of a message; `None` if it asks for nothing.
    #[must_use]
    pub fn parse(content: &str) -> Option<Self> {
        let words: Vec<&str> = content.split_whitespace().collect();
        match words.as_slice() {
            [
                "say",
                tokens,
                "at",
                rate,
                "wide",
                width,
                "tools",
                tools,
                "fault",
                fault,
                "for",
                id,
                ..,
            ] => Some(Self {
                id: (*id).to_owned(),
                tokens: tokens.parse().ok()?,
                rate: rate.parse().ok()?,
                width: width.parse().ok()?,
                tools: tools.parse().ok()?,
                fault: (*fault).to_owned(),
            }),
            _ => None,
        }
    }

    /// One piece of the answer. Not only ASCII, and a line end now and then, as models have it.
    #[must_use]
    pub fn token(&self, index: usize) -> String {
        let end = if index % 7 == 6 { "\n" } else { " " };
        let padding = "x".repeat(self.width);
        format!("{}·{index}{padding}{end}", self.id)
    }

    /// All of the answer.
    #[must_use]
    pub fn answer(&self) -> String {
        (0..self.tokens).map(|index| self.token(index)).collect()
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            tokens,
            rate,
            width,
            tools,
            fault,
        } = self;
        write!(
            f,
            "say {tokens} at {rate} wide {width} tools {tools} fault {fault} for {id}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let script = Script::new("a-1")
            .tokens(3, 50)
            .wide(9)
            .tools(2)
            .fault("silence");
        assert_eq!(Script::parse(&script.to_string()), Some(script));
        assert_eq!(Script::parse("Hello?"), None);
    }
}
