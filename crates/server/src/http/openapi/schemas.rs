//! The schemas of everything that is sent and answered, by name.

use patter_protocol::{DurableEvent, UserInput};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};

use crate::commands::{ModelsReport, ToolsReport};
use crate::http::analytics::AnalyticsJson;
use crate::http::health::{AliveJson, HealthJson};
use crate::http::messages::PendingJson;
use crate::http::problem::ProblemJson;
use crate::http::search::SearchJson;
use crate::http::sessions::{
    ChangeJson, EventsJson, MintJson, MintedJson, SessionAndEventsJson, SessionJson, SessionsJson,
};

/// All of them.
pub(super) fn all() -> Map<String, Value> {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    add_all(&mut generator);
    generator.take_definitions(true)
}

fn add_all(generator: &mut SchemaGenerator) {
    generator.subschema_for::<AliveJson>();
    generator.subschema_for::<AnalyticsJson>();
    generator.subschema_for::<DurableEvent>();
    generator.subschema_for::<UserInput>();
    generator.subschema_for::<ChangeJson>();
    generator.subschema_for::<EventsJson>();
    generator.subschema_for::<HealthJson>();
    generator.subschema_for::<MintJson>();
    generator.subschema_for::<MintedJson>();
    generator.subschema_for::<ModelsReport>();
    generator.subschema_for::<PendingJson>();
    generator.subschema_for::<ProblemJson<'static>>();
    generator.subschema_for::<SearchJson>();
    generator.subschema_for::<SessionAndEventsJson>();
    generator.subschema_for::<SessionJson>();
    generator.subschema_for::<SessionsJson>();
    generator.subschema_for::<ToolsReport>();
}
