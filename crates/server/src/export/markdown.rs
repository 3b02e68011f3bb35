//! A conversation for people to read, in Markdown as `CommonMark` has it.
//!
//! What somebody said stands in a quote, each of its lines behind `> `: whatever it holds, it cannot get
//! out of there and look like something else. HTML could, once it is rendered: so a `<` with which
//! a tag can begin becomes `&lt;`, in code too, where that is then seen. Names and other short texts stand
//! in a line of their own, escaped.

use patter_protocol::{DurableEvent, EventBody, FinishReason, Timestamp, ToolResult};
use serde_json::Value;

use super::ExportedSession;

/// The longest text within a line, in characters.
const MAX_INLINE: usize = 200;

pub(super) fn head(session: &ExportedSession) -> String {
    let title = session.metadata.get("title").and_then(Value::as_str);
    let mut head = format!("# {}\n\n", inline(title.unwrap_or("Conversation")));
    let mut item = |name: &str, value: &str| head.push_str(&format!("- {name}: {value}\n"));
    item("Session", &inline(session.session_id.as_str()));
    if let Some(user_id) = &session.user_id {
        item("User", &inline(user_id));
    }
    item("Started", &time(session.start_time));
    match session.end_time {
        Some(end_time) => item("Ended", &time(end_time)),
        None => item("Ended", "not yet"),
    }
    if let Some(summary) = &session.summary {
        head.push_str(&format!("\n## Summary\n\n{}", quote(summary)));
    }
    head.push_str("\n## Conversation\n");
    head
}

/// What an event adds; nothing where there is nothing to read.
pub(super) fn event(event: &DurableEvent) -> String {
    let at = time(event.at);
    match &event.body {
        EventBody::UserMessage(message) => said("User", &at, &message.content),
        EventBody::AiResponse(answer) => {
            let who = format!("Assistant ({})", inline(&answer.model));
            let mut text = said(&who, &at, &answer.content);
            if let Some(note) = note(answer.finish_reason) {
                text.push_str(&format!("\n*{note}*\n"));
            }
            text
        }
        EventBody::ToolCall(call) => {
            let arguments = inline(&Value::Object(call.arguments.clone()).to_string());
            format!("\n- Tool {} called with {arguments}\n", inline(&call.name))
        }
        EventBody::ToolResult(result) => {
            format!("\n- Tool {} {}\n", inline(&result.name), outcome(result))
        }
        EventBody::ToolApproved(_) => "\n- The call was approved\n".to_owned(),
        EventBody::SessionStarted(_) if event.seq == 1 => String::new(),
        EventBody::SessionStarted(_) => format!("\n*Opened again, {at}*\n"),
        EventBody::SessionEnded(_) => format!("\n*Ended, {at}*\n"),
        // It stands at the beginning.
        EventBody::SessionSummary(_) => String::new(),
    }
}

fn said(who: &str, at: &str, text: &str) -> String {
    format!("\n### {who}, {at}\n\n{}", quote(text))
}

fn outcome(result: &ToolResult) -> String {
    match (&result.error, &result.content) {
        (Some(error), _) => format!("failed: {}", inline(&error.message)),
        (None, Some(Value::String(text))) => format!("gave {}", inline(text)),
        (None, Some(value)) => format!("gave {}", inline(&value.to_string())),
        (None, None) => "ended".to_owned(),
    }
}

/// What is worth a word about the end of an answer.
fn note(finish_reason: FinishReason) -> Option<&'static str> {
    match finish_reason {
        FinishReason::Stop => None,
        FinishReason::Length => Some("Cut off at the token limit"),
        FinishReason::Cancelled => Some("Cancelled"),
        FinishReason::ContentFilter => Some("Withheld by the provider"),
        FinishReason::ToolLimit => Some("Ended at the limit of tool calls"),
        FinishReason::Error => Some("Failed"),
        FinishReason::Interrupted => Some("Interrupted"),
    }
}

fn time(time: Timestamp) -> String {
    time.as_datetime()
        .format("%Y-%m-%d %H:%M:%S UTC")
        .to_string()
}

/// Text with each of its lines in a quote. Lines end at LF, CR LF and CR.
fn quote(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut quote = String::with_capacity(lines.len() + 16);
    for line in lines.split('\n') {
        quote.push_str("> ");
        push_without_tags(&mut quote, line);
        quote.truncate(quote.trim_end_matches(' ').len());
        quote.push('\n');
    }
    quote
}

fn push_without_tags(to: &mut String, line: &str) {
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let can_be_tag = character == '<'
            && characters
                .peek()
                .is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(*next));
        if can_be_tag {
            to.push_str("&lt;");
        } else {
            to.push(character);
        }
    }
}

/// Text as a part of a line: no breaks, nothing that means something, not too long.
fn inline(text: &str) -> String {
    let mut escaped = String::new();
    let mut characters = text.chars();
    for character in characters.by_ref().take(MAX_INLINE) {
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            escaped.push(' ');
            continue;
        }
        if "\\`*_{}[]<>()#!|~&$".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    if characters.next().is_some() {
        escaped.push('…');
    }
    escaped.trim().to_owned()
}
