//! A span for each call of a tool, for whoever collects traces: named and described as OpenTelemetry's
//! conventions for generative AI say. Where nobody collects them there is none.

use serde_json::{Map, Value};
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::{ToolContext, ToolError};

/// So many bytes of what was said stand in one attribute.
const MAX_BYTES: usize = 32 * 1024;

/// The span of a call, with the arguments if they are to be recorded.
pub(crate) fn call(
    tool: &str,
    context: &ToolContext,
    arguments: Option<&Map<String, Value>>,
) -> Span {
    let span = info_span!(
        "execute_tool",
        otel.name = format!("execute_tool {tool}"),
        otel.status_code = Empty,
        error.type = Empty,
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = tool,
        gen_ai.tool.type = "function",
        gen_ai.tool.call.id = context.call_id,
        gen_ai.conversation.id = context.session_id,
        gen_ai.tool.call.arguments = Empty,
        gen_ai.tool.call.result = Empty,
    );
    if let Some(arguments) = arguments.filter(|_| !span.is_disabled()) {
        let arguments = serde_json::to_string(arguments).unwrap_or_default();
        span.record("gen_ai.tool.call.arguments", short(&arguments));
    }
    span
}

/// Notes how a call ended, and the result if it is to be recorded.
pub(crate) fn end(span: &Span, result: &Result<Value, ToolError>, has_content: bool) {
    match result {
        Ok(result) if has_content && !span.is_disabled() => {
            span.record("gen_ai.tool.call.result", short(&result.to_string()));
        }
        Ok(_) => {}
        Err(error) => {
            span.record("error.type", error.kind().as_str());
            span.record("otel.status_code", "ERROR");
        }
    }
}

fn short(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_BYTES))
        .unwrap_or(text)
}
