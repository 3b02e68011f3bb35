//! Where an answer stands that waits for a person: what is kept with the calls of its step, and shown to no
//! client, so that another process can go on with it after this one.

use patter_llm::{ProviderData, Usage};
use patter_protocol::{CallId, MessageId, ResponseId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// See the [module](self).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Waypoint {
    pub(crate) message_id: MessageId,
    pub(crate) supersedes: Option<ResponseId>,
    pub(crate) route: Option<String>,
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) content: String,
    pub(crate) pieces: u64,
    /// Each call, and how many bytes of `content` stand before it.
    pub(crate) calls: Vec<(usize, CallId)>,
    /// What the provider wants to see again, for each step.
    pub(crate) steps: Vec<Option<ProviderData>>,
    pub(crate) usage: Usage,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) first_token_ms: Option<u64>,
    pub(crate) elapsed_ms: u64,
}

impl Waypoint {
    /// As it is stored. What cannot be written is done without: the answer is then closed as interrupted.
    pub(crate) fn to_value(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    /// What another version wrote and this one cannot read is done without too.
    pub(crate) fn read(stored: Option<&Value>) -> Option<Self> {
        Self::deserialize(stored?).ok().filter(Self::is_sound)
    }

    /// Whether the calls stand in the text, in order.
    fn is_sound(&self) -> bool {
        let are_places = |(at, _): &(usize, CallId)| self.content.is_char_boundary(*at);
        // There are no more pieces than bytes.
        self.calls.is_sorted_by_key(|(at, _)| *at)
            && self.calls.iter().all(are_places)
            && self.pieces <= self.content.len() as u64
    }
}
