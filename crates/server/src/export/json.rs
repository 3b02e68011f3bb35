//! JSON, in one piece or in lines, with every `<` escaped.

use patter_protocol::DurableEvent;
use patter_store::StoreError;
use serde::{Deserialize, Serialize};

use super::ExportedSession;

/// What the first line says of the file.
pub(super) const FORMAT: &str = "patter-session";
/// The one version that there is.
pub(super) const VERSION: u32 = 1;

/// The first line of a file of lines.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) session: ExportedSession,
}

pub(super) fn header_line(session: &ExportedSession) -> Result<String, StoreError> {
    let mut line = text(&Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        session: session.clone(),
    })?;
    line.push('\n');
    Ok(line)
}

pub(super) fn line(event: &DurableEvent) -> Result<String, StoreError> {
    let mut line = text(event)?;
    line.push('\n');
    Ok(line)
}

/// Everything up to the first event.
pub(super) fn head(session: &ExportedSession) -> Result<String, StoreError> {
    Ok(format!("{{\"session\":{},\"events\":[", text(session)?))
}

pub(super) fn element(event: &DurableEvent) -> Result<String, StoreError> {
    let comma = if event.seq == 1 { "" } else { "," };
    Ok(format!("{comma}\n{}", text(event)?))
}

fn text(value: &impl Serialize) -> Result<String, StoreError> {
    // Outside of texts there is none. In a page, where somebody may put it, none of it becomes a tag.
    serde_json::to_string(value)
        .map(|text| text.replace('<', "\\u003c"))
        .map_err(|error| StoreError::Corrupt(format!("no JSON can be made of it: {error}")))
}
