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
    ChangeJson, EventsJson, ExportJson, MintJson, MintedJson, SessionAndEventsJson, SessionJson,
    SessionsJson,
};
use crate::http::tickets::{NewTicketJson, TicketJson};
use crate::http::usage::UsageJson;

/// All of them.
pub(super) fn all() -> Map<String, Value> {
    let settings = || {
        SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
        })
    };
    let mut answers = settings().for_serialize().into_generator();
    add_answers(&mut answers);
    let mut inputs = settings().into_generator();
    add_inputs(&mut inputs);
    let mut schemas = answers.take_definitions(true);
    schemas.extend(inputs.take_definitions(true));
    schemas
}

/// What is answered: a field that may be left out is one that we leave out.
fn add_answers(generator: &mut SchemaGenerator) {
    generator.subschema_for::<AliveJson>();
    generator.subschema_for::<AnalyticsJson>();
    generator.subschema_for::<DurableEvent>();
    generator.subschema_for::<EventsJson>();
    generator.subschema_for::<ExportJson>();
    generator.subschema_for::<HealthJson>();
    generator.subschema_for::<MintedJson>();
    generator.subschema_for::<ModelsReport>();
    generator.subschema_for::<PendingJson>();
    generator.subschema_for::<ProblemJson<'static>>();
    generator.subschema_for::<SearchJson>();
    generator.subschema_for::<SessionAndEventsJson>();
    generator.subschema_for::<SessionJson>();
    generator.subschema_for::<SessionsJson>();
    generator.subschema_for::<TicketJson>();
    generator.subschema_for::<ToolsReport>();
    generator.subschema_for::<UsageJson>();
}

/// What is sent here: a field that may be left out is one that we do without.
fn add_inputs(generator: &mut SchemaGenerator) {
    generator.subschema_for::<ChangeJson>();
    generator.subschema_for::<MintJson>();
    generator.subschema_for::<NewTicketJson>();
    generator.subschema_for::<UserInput>();
}
