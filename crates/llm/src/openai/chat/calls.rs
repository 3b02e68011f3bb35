//! Puts tool calls together from their pieces.
//!
//! OpenAI numbers its calls. Others leave the number out, begin at one, or give every call the
//! number zero, so a number is believed only as long as nothing speaks against it.

use serde_json::{Map, Value};

use crate::clean;
use crate::decode::new_call_id;
use crate::message::ToolCall;
use crate::openai::chat::wire::ToolDelta;
use crate::openai::tool_text;

/// Most calls of one answer. Each piece is looked for among them.
const MAX_CALLS: usize = 256;

/// There are more calls than any answer should have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it makes more than {MAX_CALLS} calls at once")]
pub(super) struct TooMany;

/// The calls of one answer, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Calls {
    slots: Vec<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    index: Option<u32>,
    id: String,
    name: String,
    arguments: String,
    /// Whether the name has come with more than the first piece, and so says nothing.
    name_repeats: bool,
    extra_content: Option<Value>,
}

/// A call, and what the server wants back with it.
#[derive(Debug)]
pub(super) struct Completed {
    pub(super) call: ToolCall,
    pub(super) extra_content: Option<Value>,
}

impl Calls {
    /// Takes one piece.
    pub(super) fn add(&mut self, delta: ToolDelta) -> Result<(), TooMany> {
        let id = delta.id.unwrap_or_default();
        let function = delta.function.unwrap_or_default();
        let name = function.name.unwrap_or_default();
        let Some(slot) = self.slot(delta.index, &id, &name)? else {
            return Ok(());
        };
        if slot.id.is_empty() {
            slot.id = id;
        }
        if !name.is_empty() {
            slot.name_repeats = !slot.name.is_empty();
            slot.name = name;
        }
        slot.extra_content = delta.extra_content.or(slot.extra_content.take());
        match function.arguments {
            None | Some(Value::Null) => {}
            Some(Value::String(piece)) => slot.arguments.push_str(&piece),
            Some(whole) => slot.arguments = whole.to_string(),
        }
        Ok(())
    }

    /// The call that a piece belongs to, begun here if it is the first of it.
    fn slot(
        &mut self,
        index: Option<u32>,
        id: &str,
        name: &str,
    ) -> Result<Option<&mut Slot>, TooMany> {
        let found = match index {
            Some(_) => self
                .slots
                .iter()
                .rposition(|slot| slot.index == index)
                .filter(|position| !self.begins_another(*position, id, name)),
            None if !id.is_empty() => self.slots.iter().position(|slot| slot.id == id),
            None if !name.is_empty() => None,
            None => self.slots.len().checked_sub(1),
        };
        if let Some(position) = found {
            return Ok(self.slots.get_mut(position));
        }
        if self.slots.len() == MAX_CALLS {
            return Err(TooMany);
        }
        self.slots.push(Slot {
            index,
            ..Slot::default()
        });
        Ok(self.slots.last_mut())
    }

    /// Whether a piece with a known number begins a new call all the same: it has another id,
    /// or it has no id, but a name, and the call with that number is complete.
    fn begins_another(&self, position: usize, id: &str, name: &str) -> bool {
        let Some(slot) = self.slots.get(position) else {
            return true;
        };
        if id.is_empty() {
            !name.is_empty()
                && !slot.name.is_empty()
                && !slot.name_repeats
                && tool_text::read_written_arguments(&slot.arguments).is_some()
        } else {
            !slot.id.is_empty() && slot.id != id
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// All calls, if each is complete; else the name of the first that is not. No arguments
    /// at all are arguments too.
    pub(super) fn complete(self) -> Result<Vec<Completed>, String> {
        self.slots
            .into_iter()
            .map(|slot| {
                let arguments = tool_text::read_arguments(&slot.arguments);
                match arguments {
                    Some(arguments) if !slot.name.is_empty() => Ok(slot.into_call(arguments)),
                    _ => Err(slot.name),
                }
            })
            .collect()
    }

    /// The calls that were complete when a limit cut the answer; one without arguments may
    /// have been about to get some.
    pub(super) fn complete_before_cut(self) -> Vec<Completed> {
        self.slots
            .into_iter()
            .filter(|slot| !slot.name.is_empty())
            .filter_map(|slot| {
                let arguments = tool_text::read_written_arguments(&slot.arguments)?;
                Some(slot.into_call(arguments))
            })
            .collect()
    }
}

impl Slot {
    fn into_call(self, arguments: Map<String, Value>) -> Completed {
        let id = if self.id.is_empty() {
            new_call_id()
        } else {
            clean::text(self.id)
        };
        Completed {
            call: ToolCall {
                id,
                name: clean::text(self.name),
                arguments: clean::object(arguments),
            },
            extra_content: self.extra_content,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Name and arguments of the calls in these pieces.
    fn calls(pieces: Value) -> Vec<(String, Value)> {
        let mut calls = Calls::default();
        for delta in serde_json::from_value::<Vec<ToolDelta>>(pieces).unwrap() {
            calls.add(delta).unwrap();
        }
        let calls = calls.complete().unwrap();
        calls
            .into_iter()
            .map(|Completed { call, .. }| (call.name, Value::Object(call.arguments)))
            .collect()
    }

    fn expect(pieces: &Value, expected: &[(&str, Value)]) {
        let found = calls(pieces.clone());
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        assert_eq!(found, expected, "{pieces}");
    }

    #[test]
    fn numbered_pieces_go_to_the_call_with_that_number() {
        expect(
            &json!([
                {"index": 1, "id": "x", "function": {"name": "f", "arguments": ""}},
                {"index": 1, "function": {"arguments": "{\"a\""}},
                {"index": 3, "id": "y", "function": {"name": "g", "arguments": null}},
                {"index": 1, "id": "", "function": {"name": "", "arguments": ":1}"}},
            ]),
            &[("f", json!({"a": 1})), ("g", json!({}))],
        );
    }

    #[test]
    fn a_number_that_is_used_twice_does_not_mix_two_calls() {
        expect(
            &json!([
                {"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}},
                {"index": 0, "id": "y", "function": {"name": "f", "arguments": "{\"b\":2}"}},
                {"index": 0, "function": {"name": "g", "arguments": "null"}},
            ]),
            &[("f", json!({})), ("f", json!({"b": 2})), ("g", json!({}))],
        );
    }

    #[test]
    fn a_name_in_every_piece_begins_no_call() {
        expect(
            &json!([
                {"index": 0, "function": {"name": "f", "arguments": "{\"a\":"}},
                {"index": 0, "function": {"name": "f", "arguments": "1}"}},
                {"index": 0, "function": {"name": "f", "arguments": ""}},
            ]),
            &[("f", json!({"a": 1}))],
        );
    }

    #[test]
    fn there_is_an_end_of_calls() {
        let piece = |index| -> ToolDelta {
            serde_json::from_value(json!({"index": index, "function": {"name": "f"}})).unwrap()
        };
        let mut calls = Calls::default();
        for index in 0..MAX_CALLS {
            calls.add(piece(index)).unwrap();
        }
        assert_eq!(calls.add(piece(0)), Ok(()));
        assert_eq!(calls.add(piece(MAX_CALLS)), Err(TooMany));
    }

    #[test]
    fn pieces_without_a_number_follow_the_id_or_the_last_call() {
        expect(
            &json!([
                {"id": "x", "function": {"name": "f", "arguments": "{\"a\":"}},
                {"function": {"arguments": "1}"}},
                {"function": {"name": "g", "arguments": {"whole": true}}},
                {"id": "x", "function": {}},
            ]),
            &[("f", json!({"a": 1})), ("g", json!({"whole": true}))],
        );
    }
}
