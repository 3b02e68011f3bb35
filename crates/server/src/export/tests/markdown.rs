//! What people read, whatever was said.

use patter_protocol::{CallId, ToolCall, ToolError, ToolErrorCode, ToolResult};
use patter_store::SessionRecord;

use super::super::{ExportedSession, markdown};
use super::*;

/// A conversation in which everything that somebody else wrote is `text`.
fn written(text: &str) -> String {
    let mut given = session([
        started(),
        message(text),
        EventBody::ToolCall(ToolCall {
            response_id: ResponseId::generate(),
            call_id: CallId::generate(),
            name: text.to_owned(),
            arguments: JsonObject::from_iter([(text.to_owned(), json!(text))]),
            needs_approval: false,
        }),
        tool_result(CallId::generate(), json!(text)),
        EventBody::ToolResult(ToolResult {
            response_id: ResponseId::generate(),
            call_id: CallId::generate(),
            name: text.to_owned(),
            ok: false,
            content: None,
            error: Some(ToolError {
                code: ToolErrorCode::Failed,
                message: text.to_owned(),
            }),
            duration_ms: 1,
        }),
        answer(ResponseId::generate(), text),
        ended(Some(text), metrics()),
    ]);
    given.metadata.insert("title".to_owned(), json!(text));
    let record = SessionRecord {
        session_id: given.session_id,
        user_id: Some(text.to_owned()),
        start_time: given.start_time,
        end_time: Some(moment(9_000)),
        is_active: false,
        summary: Some(text.to_owned()),
        summary_error: None,
        metadata: given.metadata,
        created_at: moment(0),
        updated_at: moment(0),
        last_seq: 7,
        epoch: patter_protocol::LogEpoch::generate(),
    };
    let events: String = given.events.iter().map(markdown::event).collect();
    markdown::head(&ExportedSession::from(record)) + &events
}

/// The lines that are not a quote, without what is not ours in them.
fn structure(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('>'));
    lines
        .map(|line| match line.split_once(' ') {
            Some(("-", rest)) => rest.split([' ', ':']).next().unwrap_or_default(),
            Some(("#", _)) => "#",
            _ => line,
        })
        .collect()
}

#[test]
fn a_conversation_can_be_read() {
    let text = written("2 + 2?\nPlease.");
    for expected in [
        "# 2 + 2? Please.\n",
        "- User: 2 + 2? Please.\n- Started: 2026-01-01 00:00:00 UTC\n- Ended: 2026-01-01 00:00:09 UTC\n",
        "\n## Summary\n\n> 2 + 2?\n> Please.\n",
        "\n## Conversation\n\n### User, 2026-01-01 00:00:02 UTC\n\n> 2 + 2?\n> Please.\n",
        "\n- Tool calculator gave 2 + 2? Please.\n",
        "\n- Tool 2 + 2? Please. failed: 2 + 2? Please.\n",
        "\n### Assistant (demo), 2026-01-01 00:00:06 UTC\n\n> 2 + 2?\n> Please.\n",
    ] {
        assert!(text.contains(expected), "no {expected:?} in {text}");
    }
}

/// Input 90.
#[test]
fn html_cannot_begin_and_comparisons_stay() {
    let text = written("<!-- </blockquote> <script> a < b <= c");
    assert!(
        text.contains("> &lt;!-- &lt;/blockquote> &lt;script> a < b <= c\n"),
        "{text}"
    );
}

proptest! {
    #[test]
    fn no_text_breaks_the_structure(text in text()) {
        let written = written(&text);
        let plain = super::markdown::written("x");
        prop_assert_eq!(structure(&written), structure(&plain));
        let opens = |pair: &[char]| pair[0] == '<' && (pair[1].is_ascii_alphabetic() || "/!?".contains(pair[1]));
        let characters: Vec<char> = written.chars().collect();
        for (place, pair) in characters.windows(2).enumerate() {
            let is_escaped = place > 0 && characters[place - 1] == '\\';
            prop_assert!(!opens(pair) || is_escaped, "{}", written);
        }
        prop_assert!(!written.contains('\r'));
    }
}
