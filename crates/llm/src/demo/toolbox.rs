//! The tools that the demo knows how to use, and what they gave.

use crate::message::{Message, ToolResult};

pub(super) const CALCULATOR: &str = "calculator";
pub(super) const DATA_FETCHER: &str = "data_fetcher";

/// All that tools gave in these messages.
pub(super) fn results(since: &[Message]) -> Vec<&ToolResult> {
    let results = since.iter().filter_map(|message| match message {
        Message::ToolResults(results) => Some(results),
        Message::User(_) | Message::Assistant(_) => None,
    });
    results.flatten().collect()
}
