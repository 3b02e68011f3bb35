//! The text of an answer while it grows, and where the tool calls stand in it.

use patter_protocol::{CallId, Part};

use crate::waypoint::Waypoint;

#[derive(Debug, Default)]
pub(crate) struct AnswerText {
    content: String,
    /// Each call, and how many bytes of text stood before it.
    calls: Vec<(usize, CallId)>,
    pieces: u64,
}

/// How far the text had come at some moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    bytes: usize,
    pieces: u64,
}

impl AnswerText {
    /// As it stood there.
    pub(crate) fn restored(waypoint: &Waypoint) -> Self {
        Self {
            content: waypoint.content.clone(),
            calls: waypoint.calls.clone(),
            pieces: waypoint.pieces,
        }
    }

    pub(super) fn pieces(&self) -> u64 {
        self.pieces
    }

    pub(super) fn calls(&self) -> &[(usize, CallId)] {
        &self.calls
    }

    /// Adds a piece and tells its index.
    pub(super) fn push(&mut self, piece: &str) -> u64 {
        self.content.push_str(piece);
        let index = self.pieces;
        self.pieces += 1;
        index
    }

    /// Notes that a tool was called here.
    pub(super) fn mark_call(&mut self, call_id: CallId) {
        self.calls.push((self.content.len(), call_id));
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            bytes: self.content.len(),
            pieces: self.pieces,
        }
    }

    /// Takes back every piece since `mark`, which must be one of this text; no tool was called
    /// since. The next piece has the index that the first of them had.
    pub(super) fn cut_back(&mut self, mark: Mark) {
        self.content.truncate(mark.bytes);
        self.pieces = mark.pieces;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces == 0
    }

    pub(super) fn content(&self) -> &str {
        &self.content
    }

    /// The index of the last piece; -1 if there is none.
    pub(super) fn last_index(&self) -> i64 {
        i64::try_from(self.pieces).unwrap_or(i64::MAX) - 1
    }

    /// Text and calls in order; empty where no tool was called.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.calls.is_empty() {
            return parts;
        }
        let mut from = 0;
        let mut text_until = |to: usize, parts: &mut Vec<Part>| {
            if let Some(text) = self.content.get(from..to).filter(|text| !text.is_empty()) {
                parts.push(Part::Text {
                    text: text.to_owned(),
                });
            }
            from = to;
        };
        for (at, call_id) in &self.calls {
            text_until(*at, &mut parts);
            parts.push(Part::Call { call_id: *call_id });
        }
        text_until(self.content.len(), &mut parts);
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_tell_where_the_calls_stood() {
        let mut text = AnswerText::default();
        let [a, b, c] = [CallId::generate(), CallId::generate(), CallId::generate()];
        assert_eq!(text.last_index(), -1);
        text.mark_call(a);
        text.push("é");
        text.push("t");
        text.mark_call(b);
        text.mark_call(c);
        text.push("end");
        assert_eq!(text.last_index(), 2);
        assert_eq!(text.content(), "étend");
        let said = |text: &str| Part::Text {
            text: text.to_owned(),
        };
        let called = |call_id| Part::Call { call_id };
        assert_eq!(
            text.parts(),
            [called(a), said("ét"), called(b), called(c), said("end")]
        );
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace() {
        let mut text = AnswerText::default();
        text.push("é");
        let call = CallId::generate();
        text.mark_call(call);
        let mark = text.mark();
        text.push("void");
        text.push("void");
        text.cut_back(mark);
        assert_eq!((text.content(), text.last_index()), ("é", 0));
        assert_eq!(text.push("t"), 1);
        assert_eq!(text.content(), "ét");
        assert_eq!(text.parts().len(), 3);
    }

    #[test]
    fn without_calls_there_are_no_parts() {
        let mut text = AnswerText::default();
        text.push("hello");
        assert_eq!(text.parts(), []);
    }
}
