//! Puts the steps of an answer together again. The log holds its calls, their results, and at the
//! end one `ai_response` that tells where the calls stood in the text; a model wants to see what
//! it made step by step. All results of a step come before the calls of the next one.

use patter_llm::{AssistantMessage, AssistantPart, ProviderData, ToolCall, ToolResult};
use patter_protocol::{self as protocol, AiResponse, CallId, Part, ResponseId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exchange::Step;
use crate::shown_result::shown_to_model;
use crate::turn::AnswerText;
use crate::waypoint::Waypoint;

/// What is kept with an `ai_response` and shown to no client: what the provider wants to see
/// again, for each step.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PrivateSteps {
    pub(crate) steps: Vec<Option<ProviderData>>,
}

impl PrivateSteps {
    /// As it is stored; `None` if there is nothing to keep.
    pub(crate) fn to_value(&self) -> Option<Value> {
        if self.steps.iter().all(Option::is_none) {
            return None;
        }
        serde_json::to_value(self).ok()
    }

    fn read(stored: Option<&Value>) -> Vec<Option<ProviderData>> {
        // What another version wrote and this one cannot read is left out: a provider may then
        // know less of its own thoughts, and the conversation goes on.
        stored
            .and_then(|value| Self::deserialize(value).ok())
            .map(|private| private.steps)
            .unwrap_or_default()
    }
}

/// The calls of answers that are not over.
#[derive(Debug, Default)]
pub(super) struct CallLedger {
    entries: Vec<Entry>,
    /// What was kept with the last call that had something with it.
    waypoint: Option<(ResponseId, Waypoint)>,
}

/// An answer that waits for a person, as far as it has come.
#[derive(Debug)]
pub(crate) struct WaitingAnswer {
    pub(crate) response_id: ResponseId,
    pub(crate) waypoint: Waypoint,
    /// Its steps; the last one lacks the results of the calls that wait.
    pub(crate) steps: Vec<Step>,
    /// The calls that wait.
    pub(crate) waiting: Vec<(CallId, ToolCall)>,
}

#[derive(Debug, Clone)]
struct Entry {
    response_id: ResponseId,
    call_id: CallId,
    call: ToolCall,
    step: usize,
    /// Whether a person is to let it run, and has not.
    is_unapproved: bool,
    outcome: Option<Result<Value, String>>,
}

impl CallLedger {
    pub(super) fn called(&mut self, call: &protocol::ToolCall, private: Option<&Value>) {
        if let Some(waypoint) = Waypoint::read(private) {
            self.waypoint = Some((call.response_id, waypoint));
        }
        let step = self
            .entries
            .iter()
            .rev()
            .find(|entry| entry.response_id == call.response_id)
            .map_or(0, |last| last.step + usize::from(last.outcome.is_some()));
        self.entries.push(Entry {
            response_id: call.response_id,
            call_id: call.call_id,
            call: ToolCall {
                id: call.call_id.to_string(),
                name: call.name.clone(),
                arguments: call.arguments.clone(),
            },
            step,
            is_unapproved: call.needs_approval,
            outcome: None,
        });
    }

    pub(super) fn approved(&mut self, approved: &protocol::ToolApproved) {
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|it| it.call_id == approved.call_id) {
            entry.is_unapproved = false;
        }
    }

    pub(super) fn ended(&mut self, result: &protocol::ToolResult) {
        if let Some(entry) = self
            .entries
            .iter_mut()
            .find(|it| it.call_id == result.call_id)
        {
            entry.outcome = Some(match &result.error {
                Some(error) => Err(error.message.clone()),
                None => Ok(shown_to_model(
                    result.content.as_ref().unwrap_or(&Value::Null),
                )),
            });
        }
    }

    /// The calls without a result.
    pub(super) fn open(&self) -> Vec<(ResponseId, CallId, String)> {
        self.entries
            .iter()
            .filter(|entry| entry.outcome.is_none())
            .map(|entry| (entry.response_id, entry.call_id, entry.call.name.clone()))
            .collect()
    }

    pub(super) fn waits_for_a_person(&self, call_id: CallId) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.call_id == call_id && entry.is_waiting())
    }

    /// The only answer that is not over, if calls of its last step wait for a person, and what is needed to
    /// go on with it was kept.
    pub(super) fn waiting_answer(&self) -> Option<WaitingAnswer> {
        let (response_id, waypoint) = self.waypoint.as_ref()?;
        let last = self.entries.last()?;
        let is_alone = self
            .entries
            .iter()
            .all(|entry| entry.response_id == *response_id);
        let are_known = self.entries.iter().all(|entry| {
            let mut known = waypoint.calls.iter();
            known.any(|(_, call_id)| *call_id == entry.call_id)
        });
        let waiting = self.entries.iter().filter(|entry| entry.is_waiting());
        let waiting: Vec<_> = waiting.collect();
        let is_last_step = waiting.iter().all(|entry| entry.step == last.step);
        if !is_alone || !are_known || !is_last_step || waiting.is_empty() {
            return None;
        }
        let parts = AnswerText::restored(waypoint).parts();
        let mut steps = steps_of(&parts, self.entries.clone());
        for (step, data) in steps.iter_mut().zip(&waypoint.steps) {
            step.message.provider_data.clone_from(data);
        }
        let is_waiting = |id: &str| waiting.iter().any(|entry| entry.call.id == id);
        if let Some(last) = steps.last_mut() {
            last.results.retain(|result| !is_waiting(&result.call_id));
        }
        Some(WaitingAnswer {
            response_id: *response_id,
            waypoint: waypoint.clone(),
            steps,
            waiting: waiting
                .iter()
                .map(|entry| (entry.call_id, entry.call.clone()))
                .collect(),
        })
    }

    /// The first answer that is not over, and its calls.
    pub(super) fn first_answer(&self) -> Option<(ResponseId, Vec<CallId>)> {
        let response_id = self.entries.first()?.response_id;
        let calls = self
            .entries
            .iter()
            .filter(|entry| entry.response_id == response_id);
        Some((response_id, calls.map(|entry| entry.call_id).collect()))
    }

    /// Takes the calls of an answer that is over and makes its steps of them.
    pub(super) fn settle(&mut self, answer: &AiResponse, private: Option<&Value>) -> Vec<Step> {
        let (calls, others) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition::<Vec<_>, _>(|entry| entry.response_id == answer.response_id);
        self.entries = others;
        self.waypoint
            .take_if(|(response_id, _)| *response_id == answer.response_id);
        let mut steps = if calls.is_empty() {
            text_step(&answer.content)
        } else {
            steps_of(&answer.parts, calls)
        };
        for (step, data) in steps.iter_mut().zip(PrivateSteps::read(private)) {
            step.message.provider_data = data;
        }
        steps
    }
}

impl Entry {
    fn is_waiting(&self) -> bool {
        self.is_unapproved && self.outcome.is_none()
    }
}

fn text_step(text: &str) -> Vec<Step> {
    if text.is_empty() {
        return Vec::new();
    }
    vec![Step {
        message: AssistantMessage::text(text),
        results: Vec::new(),
    }]
}

fn steps_of(parts: &[Part], mut calls: Vec<Entry>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut last_call_step = None;
    for part in parts {
        match part {
            Part::Text { text } => {
                let step = next_step(&mut steps, last_call_step.take().is_some());
                step.message.parts.push(AssistantPart::Text(text.clone()));
            }
            Part::Call { call_id } => {
                let Some(at) = calls.iter().position(|entry| entry.call_id == *call_id) else {
                    continue;
                };
                let entry = calls.remove(at);
                let begins = last_call_step.is_some_and(|step| step != entry.step);
                let step = next_step(&mut steps, begins);
                last_call_step = Some(entry.step);
                step.results.push(ToolResult {
                    call_id: entry.call.id.clone(),
                    name: entry.call.name.clone(),
                    outcome: entry
                        .outcome
                        .unwrap_or_else(|| Err("interrupted".to_owned())),
                });
                step.message.parts.push(AssistantPart::ToolCall(entry.call));
            }
        }
    }
    steps
}

/// The last step, or a new one where there is none or the last one is over.
fn next_step(steps: &mut Vec<Step>, last_is_over: bool) -> &mut Step {
    match steps.pop() {
        Some(step) if !last_is_over => steps.push_mut(step),
        last => {
            steps.extend(last);
            steps.push_mut(Step::default())
        }
    }
}
