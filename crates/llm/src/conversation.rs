//! A conversation put in the order that providers insist on: every tool call has exactly one
//! result, right after the step that made it, whatever the log behind the request says.

use crate::message::{AssistantMessage, Message, ToolCall, ToolResult, UserMessage};

/// What the model is told where a call has no result: the turn was cancelled, for example.
pub(crate) const NO_RESULT: &str = "the call was not run";

/// One turn of a conversation, as both wire formats want it.
#[derive(Debug)]
pub(crate) enum Turn<'a> {
    /// What a person said.
    User(&'a UserMessage),
    /// One step of the model.
    Assistant {
        /// What it answered.
        message: &'a AssistantMessage,
        /// Its calls in order, each with what the tool gave, if anything.
        calls: Vec<(&'a ToolCall, Option<&'a ToolResult>)>,
    },
}

/// The turns of a conversation. Results that belong to no call are left out: no provider
/// takes them. So are steps in which the model neither said nor called anything.
pub(crate) fn turns(messages: &[Message]) -> Vec<Turn<'_>> {
    let mut turns = Vec::with_capacity(messages.len());
    let mut messages = messages.iter().peekable();
    while let Some(message) = messages.next() {
        match message {
            Message::User(message) => turns.push(Turn::User(message)),
            Message::ToolResults(_) => {}
            Message::Assistant(message) => {
                let results = match messages.peek() {
                    Some(Message::ToolResults(results)) => results.as_slice(),
                    _ => &[],
                };
                if !message.parts.is_empty() || message.provider_data.is_some() {
                    turns.push(Turn::Assistant {
                        message,
                        calls: pair(message, results),
                    });
                }
            }
        }
    }
    turns
}

fn pair<'a>(
    message: &'a AssistantMessage,
    results: &'a [ToolResult],
) -> Vec<(&'a ToolCall, Option<&'a ToolResult>)> {
    message
        .tool_calls()
        .map(|call| {
            (
                call,
                results.iter().find(|result| result.call_id == call.id),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::AssistantPart;
    use serde_json::{Map, json};

    fn call(id: &str) -> AssistantPart {
        AssistantPart::ToolCall(ToolCall {
            id: id.into(),
            name: "f".into(),
            arguments: Map::new(),
        })
    }

    fn result(id: &str) -> ToolResult {
        ToolResult {
            call_id: id.into(),
            name: "f".into(),
            outcome: Ok(json!(1)),
        }
    }

    #[test]
    fn results_are_put_in_the_order_of_their_calls_and_strangers_are_left_out() {
        let messages = [
            Message::ToolResults(vec![result("stranger")]),
            Message::Assistant(AssistantMessage {
                parts: vec![call("a"), call("b"), call("c")],
                provider_data: None,
            }),
            Message::ToolResults(vec![result("c"), result("a"), result("x")]),
            Message::user("next"),
        ];
        let turns = turns(&messages);
        let [Turn::Assistant { calls, .. }, Turn::User(_)] = turns.as_slice() else {
            panic!("{turns:?}");
        };
        let found: Vec<_> = calls
            .iter()
            .map(|(call, result)| (call.id.as_str(), result.is_some()))
            .collect();
        assert_eq!(found, [("a", true), ("b", false), ("c", true)]);
    }
}
