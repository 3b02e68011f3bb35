//! The tool calls of one step: run side by side, each with a deadline of its own, told as events.

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use patter_llm::{AssistantMessage, ToolCall as ModelCall, ToolResult as ModelResult};
use patter_protocol::{
    CallId, EventBody, JsonObject, ResponseId, ToolCall, ToolError, ToolErrorCode, ToolResult,
    clean_json, clean_text,
};
use patter_tools::{ToolContext, ToolErrorKind, ToolRegistry};
use serde_json::Value;
use tokio::time::Instant;

use super::Turn;

/// A call that the model made.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) call_id: CallId,
    name: String,
    arguments: JsonObject,
    needs_approval: bool,
    made: Instant,
}

/// A call that ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) call_id: CallId,
    name: String,
    outcome: Result<Value, ToolError>,
    took: Duration,
}

/// How deep the arguments of a call may nest, as deep as a result may: a store reads 127 levels
/// back, and the event around the arguments has some of them.
const MAX_ARGUMENT_DEPTH: usize = 64;

/// Whether a call could not be stored for the depth of its arguments.
pub(super) fn nests_too_deeply(call: &ModelCall) -> bool {
    fn deeper_than(levels: usize, value: &Value) -> bool {
        match value {
            Value::Array(_) | Value::Object(_) if levels == 0 => true,
            Value::Array(items) => items.iter().any(|item| deeper_than(levels - 1, item)),
            Value::Object(fields) => fields.values().any(|field| deeper_than(levels - 1, field)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    call.arguments
        .values()
        .any(|value| deeper_than(MAX_ARGUMENT_DEPTH - 1, value))
}

/// U+0000 cannot be stored, so it is replaced before the call is told to anybody.
pub(super) fn clean(mut call: ModelCall) -> ModelCall {
    call.name = clean_text(call.name);
    if let Value::Object(arguments) = clean_json(Value::Object(call.arguments)) {
        call.arguments = arguments;
        return call;
    }
    call.arguments = JsonObject::new();
    call
}

impl Call {
    /// Takes the call up under an id of this session, which the model's call gets too.
    pub(super) fn new(call: &mut ModelCall, tools: &ToolRegistry) -> Self {
        let call_id = CallId::generate();
        call.id = call_id.to_string();
        Self {
            call_id,
            name: call.name.clone(),
            arguments: call.arguments.clone(),
            needs_approval: tools
                .get(&call.name)
                .is_some_and(|tool| tool.needs_approval()),
            made: Instant::now(),
        }
    }

    pub(super) fn event(&self, response_id: ResponseId) -> EventBody {
        EventBody::ToolCall(ToolCall {
            response_id,
            call_id: self.call_id,
            name: self.name.clone(),
            arguments: self.arguments.clone(),
            needs_approval: self.needs_approval,
        })
    }

    /// The call as one whose end nobody saw.
    pub(super) fn interrupted(self) -> Ended {
        let error = ToolError {
            code: ToolErrorCode::Interrupted,
            message:
                "the answer was stopped while the tool ran; whether it had an effect is not known"
                    .to_owned(),
        };
        self.ended(Err(error))
    }

    fn ended(self, outcome: Result<Value, ToolError>) -> Ended {
        Ended {
            call_id: self.call_id,
            name: self.name,
            outcome,
            took: self.made.elapsed(),
        }
    }
}

impl Ended {
    pub(super) fn event(self, response_id: ResponseId) -> EventBody {
        let (content, error) = match self.outcome {
            Ok(content) => (Some(content), None),
            Err(error) => (None, Some(error)),
        };
        EventBody::ToolResult(ToolResult {
            response_id,
            call_id: self.call_id,
            name: self.name,
            ok: error.is_none(),
            content,
            error,
            duration_ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        })
    }

    pub(super) fn for_model(&self) -> ModelResult {
        ModelResult {
            call_id: self.call_id.to_string(),
            name: self.name.clone(),
            outcome: self.outcome.clone().map_err(|error| error.message),
        }
    }
}

impl Turn {
    /// Runs the calls of a step, some at a time. Dropping the stream drops the tools that run.
    pub(super) fn run(&self, calls: Vec<Call>) -> BoxStream<'static, Ended> {
        let tools = self.tools.clone();
        let session_id = self.session_id.to_string();
        let deadline = Instant::now() + self.settings.turn_timeout;
        let lease = self.lease.clone();
        stream::iter(calls)
            .map(move |call| {
                let ended = run_one(call, tools.clone(), session_id.clone(), deadline);
                let mut lease = lease.clone();
                async move {
                    lease.safe().await;
                    ended.await
                }
            })
            .buffer_unordered(self.settings.max_parallel_tools.max(1))
            .boxed()
    }
}

async fn run_one(call: Call, tools: ToolRegistry, session_id: String, deadline: Instant) -> Ended {
    if call.needs_approval {
        // Nobody can approve yet, and a call that needs it never runs without.
        return call.ended(Err(ToolError {
            code: ToolErrorCode::NotApproved,
            message: "the tool needs an approval that nobody gave".to_owned(),
        }));
    }
    let context = ToolContext::new(session_id, call.call_id.to_string(), deadline);
    let outcome = tools
        .call(&call.name, call.arguments.clone(), context)
        .await;
    call.ended(outcome.map(clean_json).map_err(|error| ToolError {
        code: code_of(error.kind()),
        message: clean_text(error.to_string()),
    }))
}

fn code_of(kind: ToolErrorKind) -> ToolErrorCode {
    match kind {
        ToolErrorKind::InvalidArguments => ToolErrorCode::InvalidArguments,
        ToolErrorKind::UnknownTool => ToolErrorCode::UnknownTool,
        ToolErrorKind::Timeout => ToolErrorCode::Timeout,
        ToolErrorKind::TooLarge => ToolErrorCode::TooLarge,
        ToolErrorKind::BlockedAddress => ToolErrorCode::BlockedAddress,
        ToolErrorKind::NotApproved => ToolErrorCode::NotApproved,
        ToolErrorKind::InvalidOutput => ToolErrorCode::InvalidOutput,
        ToolErrorKind::Interrupted => ToolErrorCode::Interrupted,
        ToolErrorKind::Failed => ToolErrorCode::Failed,
    }
}

/// Results in the order in which the model made its calls.
pub(super) fn in_order_of_calls(
    step: &AssistantMessage,
    mut results: Vec<ModelResult>,
) -> Vec<ModelResult> {
    results.sort_by_key(|result| step.tool_calls().position(|call| call.id == result.call_id));
    results
}
