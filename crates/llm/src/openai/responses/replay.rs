//! The items of an answer that go back to the service in later requests.
//!
//! The service stores nothing for us, so the reasoning of a model goes back to it, encrypted, in
//! the place where it stood: a reasoning item without the item that followed it is refused
//! (<https://platform.openai.com/docs/guides/reasoning>), and so is one from another account or
//! model. The items therefore travel beside the neutral message, as [`ProviderData`]:
//! `{"host": "...", "model": "...", "items": [...]}`.

use serde_json::{Map, Value};

use crate::message::{AssistantMessage, ProviderData};
use crate::openai::responses::item::{self, ItemKind};
use crate::origin::Origin;

/// The [`ProviderData::kind`] of this API.
const KIND: &str = "openai-responses";

/// What is to be kept of these items, which are in order and hold no calls but those of the
/// message; `None` where the neutral message says it all.
pub(super) fn provider_data(items: Vec<Value>, origin: &Origin) -> Option<ProviderData> {
    let items = without_lone_reasoning(items);
    let is_needed = |item: &Value| {
        item::kind(item) == ItemKind::Reasoning || item::text_at(item, "phase").is_some()
    };
    if !items.iter().any(is_needed) {
        return None;
    }
    let mut data = Map::new();
    let items = items.into_iter().map(without_identity).collect();
    data.insert("items".to_owned(), Value::Array(items));
    Some(origin.provider_data(KIND, data))
}

/// The items kept with a message, if they are from here and hold as many calls as it.
pub(super) fn kept_items<'a>(
    message: &'a AssistantMessage,
    origin: &Origin,
) -> Option<&'a [Value]> {
    let items = origin.data(KIND, message)?.get("items")?.as_array()?;
    let fits = call_ids(items).count() == message.tool_calls().count();
    fits.then_some(items.as_slice())
}

/// The ids that the service gave to the calls among these items, in order.
pub(super) fn call_ids(items: &[Value]) -> impl Iterator<Item = &str> {
    items
        .iter()
        .filter(|item| item::kind(item) == ItemKind::FunctionCall)
        .filter_map(|call| item::text_at(call, "call_id"))
}

/// Leaves out reasoning that cannot be read again, and reasoning after which nothing came.
fn without_lone_reasoning(items: Vec<Value>) -> Vec<Value> {
    let mut kept = Vec::with_capacity(items.len());
    let mut reasoning = Vec::new();
    for item in items {
        if item::kind(&item) != ItemKind::Reasoning {
            kept.append(&mut reasoning);
            kept.push(item);
        } else if item::text_at(&item, "encrypted_content").is_some() {
            reasoning.push(item);
        }
    }
    kept
}

/// The service looks an item with an id up among those that it stored, and it has stored none. It
/// also refuses some fields that it gives as null.
fn without_identity(mut item: Value) -> Value {
    if let Some(fields) = item.as_object_mut() {
        fields.retain(|name, value| !matches!(name.as_str(), "id" | "status") && !value.is_null());
    }
    item
}
