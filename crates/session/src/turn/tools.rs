//! A tool call: how it is taken up, run within its deadline, and told as events.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use patter_llm::{AssistantMessage, ToolCall as ModelCall, ToolResult as ModelResult};
use patter_protocol::{
    CallId, EventBody, JsonObject, LiveEvent, ResponseId, ToolCall, ToolError, ToolErrorCode,
    ToolProgress, ToolResult, clean_json, clean_text,
};
use patter_tools::{Progress, ToolContext, ToolErrorKind, ToolRegistry};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::approval::{Approval, Approvals};
use crate::leases::LeaseWatch;
use crate::measures::Measures;
use crate::shown_result::shown_to_model;

/// A call that the model made.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) call_id: CallId,
    name: String,
    arguments: JsonObject,
    /// Of a person, if it must not run without.
    approval: Option<Approval>,
    /// How many calls of its tool an answer may have, if it is one too many.
    exceeds: Option<usize>,
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

/// How often readers are told how far a call is, at the most.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

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
    pub(super) fn new(
        call: &mut ModelCall,
        exceeds: Option<usize>,
        tools: &ToolRegistry,
        approvals: &mut Approvals,
    ) -> Self {
        let call_id = CallId::generate();
        call.id = call_id.to_string();
        // About one that does not run anyway nobody is asked.
        let needs_approval = exceeds.is_none() && tools.needs_approval(&call.name);
        Self {
            call_id,
            name: call.name.clone(),
            arguments: call.arguments.clone(),
            approval: needs_approval.then(|| approvals.ask_for(call_id)),
            exceeds,
            made: Instant::now(),
        }
    }

    /// A call that an earlier process took up, and that waits for a person again.
    pub(super) fn again(call_id: CallId, call: ModelCall, approvals: &mut Approvals) -> Self {
        Self {
            call_id,
            name: call.name,
            arguments: call.arguments,
            approval: Some(approvals.ask_for(call_id)),
            exceeds: None,
            made: Instant::now(),
        }
    }

    pub(super) fn needs_approval(&self) -> bool {
        self.approval.is_some()
    }

    pub(super) fn event(&self, response_id: ResponseId) -> EventBody {
        EventBody::ToolCall(ToolCall {
            response_id,
            call_id: self.call_id,
            name: self.name.clone(),
            arguments: self.arguments.clone(),
            needs_approval: self.approval.is_some(),
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

    /// The call as one that nobody let run.
    pub(super) fn not_approved(self, why: String) -> Ended {
        let code = ToolErrorCode::NotApproved;
        let message = clean_text(why);
        self.ended(Err(ToolError { code, message }))
    }

    /// The call as one of too many.
    fn too_many(self, most: usize) -> Ended {
        let name = &self.name;
        let message = format!("not run: `{name}` may be called {most} times in one answer");
        let code = ToolErrorCode::Failed;
        self.ended(Err(ToolError { code, message }))
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
            outcome: match &self.outcome {
                Ok(content) => Ok(shown_to_model(content)),
                Err(error) => Err(error.message.clone()),
            },
        }
    }
}

/// What the calls of a step run with.
#[derive(Debug, Clone)]
pub(super) struct CallSetup {
    pub(super) tools: ToolRegistry,
    pub(super) session_id: String,
    pub(super) response_id: ResponseId,
    /// Takes how far calls are.
    pub(super) progress: mpsc::Sender<LiveEvent>,
    /// How long a call may take at the most, whatever the registry says.
    pub(super) timeout: Duration,
    pub(super) lease: LeaseWatch,
    pub(super) measures: Arc<Measures>,
    /// One for each call that may run at the same time.
    pub(super) slots: Arc<Semaphore>,
}

/// Runs a call when it is allowed to and there is room. What waits for a person takes no room.
pub(super) async fn run(mut call: Call, mut setup: CallSetup) -> Ended {
    if let Some(most) = call.exceeds {
        return call.too_many(most);
    }
    if let Some(approval) = &mut call.approval
        && let Err(why) = approval.given().await
    {
        return call.not_approved(why);
    }
    let Ok(_slot) = setup.slots.acquire().await else {
        return call.interrupted();
    };
    setup.lease.safe().await;
    if call.approval.is_none() && setup.tools.needs_approval(&call.name) {
        // As with a tool that comes and goes.
        let why = "the tool was not there when the call was made".to_owned();
        return call.not_approved(why);
    }
    let begun = Instant::now();
    let deadline = begun + setup.timeout;
    let progress = told(setup.progress, setup.response_id, call.call_id);
    let context = ToolContext::new(setup.session_id, call.call_id.to_string(), deadline)
        .with_progress(progress);
    let outcome = setup
        .tools
        .call(&call.name, call.arguments.clone(), context)
        .await;
    // A model may make names up.
    let is_known = setup.tools.get(&call.name).is_some();
    let tool = if is_known { &call.name } else { "other" };
    setup.measures.tool_call(tool, begun.elapsed());
    call.ended(outcome.map(clean_json).map_err(|error| ToolError {
        code: code_of(error.kind()),
        message: clean_text(error.to_string()),
    }))
}

/// Tells readers how far a call is, as often as a person can follow and while somebody takes it.
fn told(
    sender: mpsc::Sender<LiveEvent>,
    response_id: ResponseId,
    call_id: CallId,
) -> patter_tools::ToolProgress {
    let last = Mutex::new(None::<(Instant, f64)>);
    patter_tools::ToolProgress::new(move |it: Progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news =
            |(at, done): (Instant, f64)| at.elapsed() >= PROGRESS_INTERVAL && it.done > done;
        if !last.is_none_or(is_news) {
            return;
        }
        *last = Some((Instant::now(), it.done));
        drop(last);
        let told = ToolProgress {
            response_id,
            call_id,
            done: it.done,
            total: it.total,
            message: it.message.map(clean_text),
        };
        let _taken = sender.try_send(LiveEvent::ToolProgress(told)).is_ok();
    })
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
