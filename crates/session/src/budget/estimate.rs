//! What requests and answers are thought to use while nobody has said so: rather too much than too little.

use patter_llm::{ChatRequest, ModelEvent, TokenCounter, ToolCall};

/// Of what is only measured and not read: as much as such a token has at least, mostly.
const BYTES_PER_TOKEN: u64 = 3;

/// What a step is thought to have used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Estimate {
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
}

/// What a request is thought to have, found without reading it.
pub(super) fn input_tokens(request: &ChatRequest) -> u64 {
    let bytes = TokenCounter::estimate().bytes();
    let measured = bytes.preamble(request) + bytes.messages(&request.messages);
    measured.div_ceil(BYTES_PER_TOKEN)
}

/// What a piece is thought to have.
pub(super) fn output_tokens(piece: &ModelEvent) -> u64 {
    match piece {
        ModelEvent::Text(text) | ModelEvent::Reasoning(text) => TokenCounter::estimate().text(text),
        ModelEvent::ToolCall(call) => call_bytes(call).div_ceil(BYTES_PER_TOKEN),
        ModelEvent::Restarted { .. } | ModelEvent::Finish { .. } => 0,
    }
}

fn call_bytes(call: &ToolCall) -> u64 {
    struct Count(u64);

    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count((call.id.len() + call.name.len()) as u64);
    // Counting does not fail, and JSON that there is can be written.
    let _written = serde_json::to_writer(&mut count, &call.arguments);
    count.0
}
