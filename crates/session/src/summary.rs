//! Summaries of conversations, by the model that held them. A conversation that is too long for
//! one request is summarized in parts, and the parts together.

use std::time::Duration;

use patter_llm::{ChatModel, ChatRequest, FinishReason, LlmError, ModelEvent};
use patter_protocol::clean_text;
use tokio::time::timeout;
use tracing::warn;

/// Instructions for a summary. The demo model knows a request for one by its first word.
const INSTRUCTIONS: &str = "Summarize the following conversation between a user and an assistant \
for somebody who was not there: what was asked, what was found out, what is left open. Answer with \
the summary alone, in the language of the conversation, in at most five sentences.";

/// So many bytes of transcript go into one request; some 8 000 tokens.
const MAX_PART_BYTES: usize = 32 * 1024;
/// A line is cut after so many bytes: a pasted document need not be read to the end.
const MAX_LINE_BYTES: usize = 4 * 1024;
const MAX_SUMMARY_TOKENS: u32 = 500;

/// Summarizes a transcript, or gives `None` where that fails or takes longer than `limit`.
pub(crate) async fn summarize(
    model: &dyn ChatModel,
    transcript: Vec<String>,
    limit: Duration,
) -> Option<String> {
    match timeout(limit, summarize_lines(model, transcript)).await {
        Ok(Ok(summary)) if !summary.is_empty() => Some(summary),
        Ok(Ok(_)) => {
            warn!("the model gave an empty summary");
            None
        }
        Ok(Err(error)) => {
            warn!(%error, "no summary could be had");
            None
        }
        Err(_) => {
            warn!(limit_ms = limit.as_millis(), "the summary took too long");
            None
        }
    }
}

async fn summarize_lines(
    model: &dyn ChatModel,
    transcript: Vec<String>,
) -> Result<String, LlmError> {
    let mut parts = in_parts(transcript);
    // Each round makes the text shorter by far; one part is the end.
    while parts.len() > 1 {
        let mut summaries = Vec::with_capacity(parts.len());
        for part in parts {
            summaries.push(format!("part: {}", ask(model, part).await?));
        }
        parts = in_parts(summaries);
    }
    match parts.pop() {
        Some(part) => ask(model, part).await,
        None => Ok(String::new()),
    }
}

async fn ask(model: &dyn ChatModel, text: String) -> Result<String, LlmError> {
    let request = ChatRequest::new()
        .system(INSTRUCTIONS)
        .user(text)
        .max_output_tokens(MAX_SUMMARY_TOKENS);
    let mut answer = model.stream(&request).await?;
    let mut summary = String::new();
    while let Some(event) = answer.next().await {
        match event? {
            ModelEvent::Text(text) => summary.push_str(&text),
            ModelEvent::Finish {
                reason: FinishReason::Stop | FinishReason::Length,
                ..
            } => {
                return Ok(clean_text(summary).trim().to_owned());
            }
            ModelEvent::Finish { .. } => break,
            ModelEvent::Restarted { .. } => summary.clear(),
            ModelEvent::Reasoning(_) | ModelEvent::ToolCall(_) => {}
        }
    }
    Err(LlmError::Truncated {
        provider: model.provider().to_owned(),
    })
}

/// Joins lines to texts of at most [`MAX_PART_BYTES`].
fn in_parts(lines: Vec<String>) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for mut line in lines {
        if line.len() > MAX_LINE_BYTES {
            line.truncate(line.floor_char_boundary(MAX_LINE_BYTES));
            line.push_str(" [cut]");
        }
        match parts.last_mut() {
            Some(part) if part.len() + line.len() < MAX_PART_BYTES => {
                part.push('\n');
                part.push_str(&line);
            }
            _ => parts.push(line),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_transcript_is_cut_into_parts_that_fit() {
        let lines: Vec<String> = (0..100)
            .map(|n| format!("user: {n} {}", "é".repeat(1_500)))
            .collect();
        let parts = in_parts(lines);
        assert!(parts.len() > 5);
        assert!(parts.iter().all(|part| part.len() <= MAX_PART_BYTES));
        let joined = parts.join("\n");
        assert!((0..100).all(|n| joined.contains(&format!("user: {n} é"))));
    }

    #[test]
    fn a_huge_line_is_cut_and_says_so() {
        let parts = in_parts(vec!["é".repeat(10_000)]);
        assert_eq!(parts.len(), 1);
        assert!(parts[0].len() < MAX_LINE_BYTES + 10);
        assert!(parts[0].ends_with("[cut]"));
    }
}
