//! Decides on the next step: tools to call, or something to say.
//!
//! Everything is derived from the request, so that the same conversation always goes on in the
//! same way, whoever kept it in between.

use std::borrow::Cow;

use crate::demo::toolbox::{CALCULATOR, results};
use crate::demo::wish::Wish;
use crate::demo::words::start;
use crate::demo::{answer, small_talk, summary};
use crate::message::{Message, ToolCall};
use crate::request::ChatRequest;

/// So much of a question is looked at, in bytes: rules take time for every word.
const MAX_QUESTION: usize = 2000;

/// One step of the model: what it says, and then what it calls. The calls have no ids yet.
#[derive(Debug, PartialEq)]
pub(super) struct Step {
    pub(super) text: String,
    pub(super) calls: Vec<ToolCall>,
}

impl Step {
    fn say(text: String) -> Self {
        Self {
            text,
            calls: Vec::new(),
        }
    }
}

/// The next step in this conversation.
pub(super) fn step(request: &ChatRequest) -> Step {
    let Some((question, since)) = last_question(&request.messages) else {
        return Step::say(small_talk::greeting(&request.tools));
    };
    if request
        .system
        .as_deref()
        .is_some_and(|text| text.trim_start().starts_with("Summarize"))
    {
        return Step::say(summary::write(&question));
    }
    let question = start(&question, MAX_QUESTION);
    let earlier = request
        .messages
        .split_at(request.messages.len() - since.len() - 1)
        .0;
    let wish = Wish::read(question, earlier);
    if wish.is_empty() {
        return Step::say(small_talk::reply(question, earlier, &request.tools));
    }
    if let Some(tool) = wish.missing_tool(request) {
        return Step::say(format!(
            "I would need the tool `{tool}` for that, and nobody gave it to me."
        ));
    }
    let results = results(since);
    let calls = if results.is_empty() {
        wish.first_calls()
    } else {
        wish.second_calls(&results)
    };
    if calls.is_empty() {
        return Step::say(answer::write(&results));
    }
    Step {
        text: announcement(&calls, results.is_empty()),
        calls,
    }
}

/// What the person said last, and all that happened since.
fn last_question(messages: &[Message]) -> Option<(Cow<'_, str>, &[Message])> {
    let position = messages
        .iter()
        .rposition(|message| matches!(message, Message::User(_)))?;
    let (before, since) = messages.split_at(position + 1);
    match before.last()? {
        Message::User(message) => Some((message.joined_text(), since)),
        Message::Assistant(_) | Message::ToolResults(_) => None,
    }
}

/// What is said before tools are called. What is said after them is another paragraph: it may
/// begin with a table.
fn announcement(calls: &[ToolCall], first: bool) -> String {
    match (first, calls.len()) {
        (true, 1) if calls.iter().all(|call| call.name == CALCULATOR) => {
            "Let me compute that.\n\n".to_owned()
        }
        (true, 1) => "Let me look that up.\n\n".to_owned(),
        (true, number) => format!("Let me do {number} things at once.\n\n"),
        (false, _) => "Now I can compute the rest.\n\n".to_owned(),
    }
}
