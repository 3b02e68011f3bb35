//! What can go wrong at a provider, by name.

use patter_testkit::model_server::{Release, Reply, openai};
use serde_json::{Value, json};

use crate::script::Script;

/// Every fault, and how the answer must end: `error` where nothing can be done, `any` where what was
/// said so far may count.
pub const FAULTS: &[(&str, &str)] = &[
    ("status_400", "error"),
    ("status_401", "error"),
    ("status_403", "error"),
    ("status_404", "error"),
    ("status_429", "error"),
    ("retry_after_1", "error"),
    ("retry_after_3600", "error"),
    ("retry_after_junk", "error"),
    ("status_500", "error"),
    ("status_503", "error"),
    ("not_json_error", "error"),
    ("reset_in_head", "error"),
    ("reset_in_text", "error"),
    ("half_a_line", "error"),
    ("half_a_character", "error"),
    ("invalid_chunk", "error"),
    ("long_line", "any"),
    ("no_done", "any"),
    ("no_finish", "error"),
    ("silence", "error"),
    ("silence_after_head", "error"),
    ("silence_after_five", "error"),
    ("two_finishes", "any"),
    ("broken_arguments", "any"),
    ("unknown_tool", "any"),
    ("tools_for_ever", "tool_limit"),
    ("empty", "any"),
    ("content_filter", "content_filter"),
    ("length", "length"),
    ("bad_encoding", "error"),
    ("html", "error"),
    ("nul_character", "stop"),
    ("lone_surrogate", "any"),
];

/// The reply for a script with a fault; `None` where it has none.
pub(super) fn reply(script: &Script) -> Option<Reply> {
    refused(&script.fault)
        .or_else(|| broken_off(script))
        .or_else(|| malformed(script))
        .or_else(|| odd(script))
}

/// Answers that are none.
fn refused(fault: &str) -> Option<Reply> {
    let refusal = |status: u16| openai::refusal(status, "fault", "as the script wants it");
    Some(match fault {
        "status_400" => refusal(400),
        "status_401" => refusal(401),
        "status_403" => refusal(403),
        "status_404" => refusal(404),
        "status_429" => refusal(429),
        "retry_after_1" => refusal(429).header("retry-after", "1"),
        "retry_after_3600" => refusal(429).header("retry-after", "3600"),
        "retry_after_junk" => refusal(429).header("retry-after", "soon, Ωmega"),
        "status_500" => refusal(500),
        "status_503" => refusal(503),
        "not_json_error" => Reply::sse("<html>Bad gateway</html>").status(502),
        "html" => Reply::sse("<html>Welcome</html>").content_type("text/html"),
        "silence" => Reply::silence(),
        _ => return None,
    })
}

/// Answers that end where they should not, or do not go on.
fn broken_off(script: &Script) -> Option<Reply> {
    let whole = text(script, "stop");
    let five = whole.bytes_of_events(5);
    Some(match script.fault.as_str() {
        "reset_in_head" => whole.broken_after(0),
        "reset_in_text" => {
            let bytes = script.id.len() * 37 % whole.body_length().max(1);
            whole.broken_after(bytes)
        }
        "half_a_line" => whole.shortened_to(five + 9),
        "half_a_character" => {
            let bytes = whole.place_of("·") + 1;
            whole.shortened_to(bytes)
        }
        "no_done" => {
            let bytes = whole.place_of("data: [DONE]");
            whole.shortened_to(bytes)
        }
        "no_finish" => whole.shortened_to(five),
        "silence_after_head" => whole.stalled_after(0, &Release::default()),
        "silence_after_five" => whole.stalled_after(five, &Release::default()),
        _ => return None,
    })
}

/// Answers that are no answers of this wire.
fn malformed(script: &Script) -> Option<Reply> {
    Some(match script.fault.as_str() {
        "invalid_chunk" => body_with(script, "data: {\"choices\": [{\"delta\"\n\n"),
        "long_line" => body_with(
            script,
            &format!("data: {{\"x\": \"{}\"}}\n\n", "y".repeat(10 << 20)),
        ),
        "bad_encoding" => text(script, "stop").header("content-encoding", "gzip"),
        "nul_character" => openai::text(["a\u{0}b"]),
        "lone_surrogate" => body_with(
            script,
            "data: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": \"\\ud800\"}}]}\n\n",
        ),
        "broken_arguments" => call(script, "calculator", "{\"expression\": \"1 +"),
        _ => return None,
    })
}

/// Answers that are whole and not what one would like.
fn odd(script: &Script) -> Option<Reply> {
    Some(match script.fault.as_str() {
        "two_finishes" => openai::body(
            pieces(script)
                .into_iter()
                .chain([openai::finish("stop"), openai::finish("length")]),
        ),
        "unknown_tool" => call(script, "no_such_tool", "{}"),
        "tools_for_ever" => call(script, "calculator", "{\"expression\": \"1 + 1\"}"),
        "empty" => openai::text([]),
        "content_filter" => text(script, "content_filter"),
        "length" => text(script, "length"),
        _ => return None,
    })
}

fn pieces(script: &Script) -> Vec<Value> {
    (0..script.tokens)
        .map(|index| openai::delta(&json!({"content": script.token(index)})))
        .collect()
}

fn text(script: &Script, finish: &str) -> Reply {
    openai::body(pieces(script).into_iter().chain([openai::finish(finish)]))
}

/// Five pieces, then these bytes, then the rest as if nothing had been.
fn body_with(script: &Script, bytes: &str) -> Reply {
    let event = |event: &Value| format!("data: {event}\n\n");
    let events = pieces(script);
    let (before, after) = events.split_at(events.len().min(5));
    let before: String = before.iter().map(event).collect();
    let after: String = after.iter().map(event).collect();
    let finish = event(&openai::finish("stop"));
    Reply::sse(format!("{before}{bytes}{after}{finish}data: [DONE]\n\n"))
}

fn call(script: &Script, name: &str, arguments: &str) -> Reply {
    openai::body([
        openai::delta(&json!({"tool_calls": [{
            "index": 0,
            "id": format!("call-{}", script.id),
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }]})),
        openai::finish("tool_calls"),
    ])
}
