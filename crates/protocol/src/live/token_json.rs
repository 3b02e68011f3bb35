//! The JSON of a token, made by hand: of all events it is the one that is told most often, and what serde makes
//! of it byte by byte took longer than all else that a session does for a token. It is the same text; a test
//! compares them.

use std::fmt::Write;

use super::Token;

/// What stands around the text, roughly, with room for some escapes.
const FRAME_BYTES: usize = 128;

impl Token {
    /// The frame `{"type":"token", ...}` as JSON text: what [`ServerMessage::to_json`](crate::ServerMessage::to_json)
    /// makes of it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::with_capacity(FRAME_BYTES + self.content.len());
        json.push_str(r#"{"type":"token","response_id":""#);
        let mut id = [0; uuid::fmt::Hyphenated::LENGTH];
        let id = self
            .response_id
            .as_uuid()
            .hyphenated()
            .encode_lower(&mut id);
        json.push_str(id);
        json.push_str(r#"","index":"#);
        // Writing into a string does not fail.
        let _written = write!(json, "{}", self.index);
        json.push_str(r#","content":"#);
        push_text(&mut json, &self.content);
        if let Some(count) = self.count {
            let _written = write!(json, r#","count":{count}"#);
        }
        json.push('}');
        json
    }
}

fn push_text(json: &mut String, text: &str) {
    if has_escapes(text) {
        // A string can always be written.
        json.push_str(&serde_json::to_string(text).unwrap_or_default());
    } else {
        json.push('"');
        json.push_str(text);
        json.push('"');
    }
}

/// Whether anything in it is written in another way in JSON (RFC 8259, section 7). All of it is looked at without
/// a branch, many bytes at a time.
fn has_escapes(text: &str) -> bool {
    let is_escaped = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    text.bytes()
        .fold(false, |found, byte| found | is_escaped(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{LiveEvent, ServerMessage};

    proptest! {
        #[test]
        fn it_is_what_serde_makes_of_it(
            id: u128,
            index: u64,
            content in r#"([^"\\]|["\\\x00-\x1f\x7f])*"#,
            count: Option<u32>,
        ) {
            let token = Token {
                response_id: Uuid::from_u128(id).into(),
                index,
                content,
                count,
            };
            let message = ServerMessage::Live(LiveEvent::Token(token));
            prop_assert_eq!(message.to_json(), serde_json::to_string(&message).unwrap());
        }
    }
}
