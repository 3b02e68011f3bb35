//! From the events of a Responses stream to our own.
//!
//! Text comes from the deltas, everything else from the finished items. The end of the answer is
//! the event that gives the whole response; without it the answer was cut.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use serde_json::Value;

use crate::clean;
use crate::decode::{Decode, chunk, new_call_id, push_text};
use crate::error::LlmError;
use crate::event::{FinishReason, ModelEvent, Usage};
use crate::http::refusal::Refusal;
use crate::message::ToolCall;
use crate::openai::responses::item::{self, ItemKind};
use crate::openai::responses::replay;
use crate::openai::responses::wire::{Event, Kind, Named, Response, Status, WireUsage};
use crate::origin::Origin;
use crate::report::Reporter;

/// The state of one answer.
#[derive(Debug)]
pub(in crate::openai) struct Decoder {
    origin: Origin,
    reporter: Reporter,
    /// The finished items, each with its place in the response.
    items: Vec<(u64, Value)>,
    /// How many calls have begun and are not finished.
    open_calls: usize,
    /// Whether text has come in deltas, and whether reasoning has: what they said is not
    /// repeated from the items.
    text_streamed: bool,
    reasoning_streamed: bool,
    end: Option<End>,
}

#[derive(Debug)]
struct End {
    /// Whether it was cut, and by what.
    cut: Option<FinishReason>,
    usage: Usage,
}

impl Decoder {
    /// Ready for an answer.
    pub(in crate::openai) fn new(origin: Origin, reporter: Reporter) -> Self {
        Self {
            origin,
            reporter,
            items: Vec::new(),
            open_calls: 0,
            text_streamed: false,
            reasoning_streamed: false,
            end: None,
        }
    }

    /// Takes an event that is not the last.
    fn progress(&mut self, kind: Kind, event: Event, events: &mut VecDeque<ModelEvent>) {
        match kind {
            Kind::Text => {
                self.text_streamed = true;
                push_text(events, event.delta.unwrap_or_default(), ModelEvent::Text);
            }
            Kind::Reasoning => {
                self.reasoning_streamed = true;
                push_text(
                    events,
                    event.delta.unwrap_or_default(),
                    ModelEvent::Reasoning,
                );
            }
            Kind::ItemBegun => {
                let is_call = |item| item::kind(item) == ItemKind::FunctionCall;
                self.open_calls += usize::from(event.item.as_ref().is_some_and(is_call));
            }
            Kind::ItemDone => {
                // One that is not numbered comes last.
                let place = event.output_index.unwrap_or(u64::MAX);
                if let Some(item) = event.item {
                    self.item_done(place, item, events);
                }
            }
            _ => {}
        }
    }

    fn item_done(&mut self, place: u64, mut item: Value, events: &mut VecDeque<ModelEvent>) {
        let (streamed, event): (_, fn(String) -> ModelEvent) = match item::kind(&item) {
            ItemKind::Message => (self.text_streamed, ModelEvent::Text),
            ItemKind::Reasoning => (self.reasoning_streamed, ModelEvent::Reasoning),
            ItemKind::FunctionCall => {
                self.open_calls = self.open_calls.saturating_sub(1);
                name_call(&mut item);
                (true, ModelEvent::Text)
            }
            ItemKind::Other => (true, ModelEvent::Text),
        };
        if !streamed {
            for text in item::texts(&item) {
                push_text(events, text.to_owned(), event);
            }
        }
        self.items.push((place, item));
    }

    /// Takes the response as it is at its end. `data` is what it was read from.
    fn response(
        &mut self,
        response: Response,
        status: Status,
        data: &str,
        events: &mut VecDeque<ModelEvent>,
    ) -> Result<ControlFlow<()>, LlmError> {
        if response.error.is_some() {
            return Err(self.refusal(data));
        }
        let cut = match response.status.unwrap_or(status) {
            Status::Completed => None,
            Status::Incomplete => {
                let details = response.incomplete_details.unwrap_or_default();
                Some(match details.reason.as_deref() {
                    Some("content_filter") => FinishReason::ContentFilter,
                    _ => FinishReason::Length,
                })
            }
            Status::Failed => return Err(self.reporter.server("it does not say why", None)),
            Status::Cancelled => {
                return Err(self.reporter.server("the answer was cancelled", None));
            }
            Status::Other => return Err(self.reporter.truncated()),
        };
        // Some servers give the items here alone.
        if self.items.is_empty() {
            for (place, item) in (0..).zip(response.output.unwrap_or_default()) {
                self.item_done(place, item, events);
            }
        }
        self.end = Some(End {
            cut,
            usage: response.usage.map(usage).unwrap_or_default(),
        });
        Ok(ControlFlow::Break(()))
    }

    /// Takes a response that was not streamed.
    fn whole(
        &mut self,
        data: &str,
        events: &mut VecDeque<ModelEvent>,
    ) -> Result<ControlFlow<()>, LlmError> {
        let response: Response = chunk(data, &self.reporter)?;
        if response.status.is_none() && response.output.is_none() {
            return Err(self.refusal(data));
        }
        self.response(response, Status::Completed, data, events)
    }

    fn refusal(&self, data: &str) -> LlmError {
        Refusal::read(data, None, None).into_error(&self.reporter)
    }

    /// The finished items in order, without calls that must not be run.
    fn take_items(&mut self, cut: Option<FinishReason>) -> Result<Vec<Value>, LlmError> {
        if cut.is_none() && self.open_calls > 0 {
            return Err(self.reporter.malformed("a call that it began never came"));
        }
        let mut items = std::mem::take(&mut self.items);
        items.sort_by_key(|(place, _)| *place);
        let may_stay = |item: &Value| match cut {
            _ if item::kind(item) != ItemKind::FunctionCall => true,
            Some(FinishReason::ContentFilter) => false,
            Some(_) => item::is_whole_before_cut(item),
            None => true,
        };
        let mut kept = Vec::with_capacity(items.len());
        for (_, item) in items {
            if may_stay(&item) {
                kept.push(item);
            } else {
                // What was thought before a call must not stand before something else.
                while kept
                    .pop_if(|item| item::kind(item) == ItemKind::Reasoning)
                    .is_some()
                {}
            }
        }
        Ok(kept)
    }

    fn call(&self, item: &Value) -> Result<ToolCall, LlmError> {
        let text = |field| clean::text(item::text_at(item, field).unwrap_or_default().to_owned());
        let name = text("name");
        match item::arguments(item) {
            Some(arguments) if !name.is_empty() => Ok(ToolCall {
                id: text("call_id"),
                name,
                arguments: clean::object(arguments),
            }),
            _ => Err(self.reporter.malformed(&format!(
                "the arguments of its call of \"{name}\" are no object"
            ))),
        }
    }
}

impl Decode for Decoder {
    fn piece(
        &mut self,
        data: &str,
        events: &mut VecDeque<ModelEvent>,
    ) -> Result<ControlFlow<()>, LlmError> {
        if data.trim() == "[DONE]" {
            return Ok(ControlFlow::Break(()));
        }
        let event: Event = match chunk(data, &self.reporter) {
            Ok(event) => event,
            Err(_) if is_unknown(data) => return Ok(ControlFlow::Continue(())),
            Err(error) => return Err(error),
        };
        if event.error.is_some() {
            return Err(self.refusal(data));
        }
        let status = match event.kind {
            Some(Kind::Completed) => Status::Completed,
            Some(Kind::Incomplete) => Status::Incomplete,
            Some(Kind::Failed) => Status::Failed,
            Some(Kind::Cancelled) => Status::Cancelled,
            Some(Kind::Error) => return Err(self.refusal(data)),
            None => return self.whole(data, events),
            Some(kind) => {
                self.progress(kind, event, events);
                return Ok(ControlFlow::Continue(()));
            }
        };
        self.response(event.response.unwrap_or_default(), status, data, events)
    }

    fn end(&mut self, events: &mut VecDeque<ModelEvent>) -> Result<(), LlmError> {
        let Some(End { cut, usage }) = self.end.take() else {
            return Err(self.reporter.truncated());
        };
        let items = self.take_items(cut)?;
        let calls = items
            .iter()
            .filter(|item| item::kind(item) == ItemKind::FunctionCall)
            .map(|item| self.call(item))
            .collect::<Result<Vec<_>, _>>()?;
        let reason = match cut {
            Some(cut) => cut,
            None if calls.is_empty() => FinishReason::Stop,
            None => FinishReason::ToolCalls,
        };
        events.extend(calls.into_iter().map(ModelEvent::ToolCall));
        events.push_back(ModelEvent::Finish {
            reason,
            usage,
            provider_data: replay::provider_data(items, &self.origin),
        });
        Ok(())
    }
}

/// Whether this is an event of a type that does not matter, whatever its fields hold.
fn is_unknown(data: &str) -> bool {
    serde_json::from_str::<Named>(data).is_ok_and(|event| event.kind == Kind::Other)
}

/// Gives a call an id if the service gave it none.
fn name_call(call: &mut Value) {
    if item::text_at(call, "call_id").is_none()
        && let Some(fields) = call.as_object_mut()
    {
        fields.insert("call_id".to_owned(), Value::String(new_call_id()));
    }
}

fn usage(usage: WireUsage) -> Usage {
    let input = usage.input_tokens_details.unwrap_or_default();
    let output = usage.output_tokens_details.unwrap_or_default();
    Usage {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cached_input_tokens: input.cached_tokens,
        cache_write_tokens: input.cache_write_tokens,
        reasoning_tokens: output.reasoning_tokens,
    }
}
