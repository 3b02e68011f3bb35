//! Says in words what the tools gave.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::demo::toolbox::{CALCULATOR, DATA_FETCHER};
use crate::message::ToolResult;

/// Fields that say something about a result and not about its subject.
const ABOUT: [&str; 5] = ["simulated", "source", "data_type", "query", "note"];

/// Fields with the number that matters most, in the order in which they are looked for.
const MAIN: [&str; 7] = [
    "price_usd",
    "temperature_c",
    "total_usd",
    "available",
    "revenue_usd",
    "orders_count",
    "cpu_percent",
];

/// The number of a result that people go on to compute with.
pub(super) fn main_number(result: &ToolResult) -> Option<String> {
    let value = result.outcome.as_ref().ok()?;
    if result.name == CALCULATOR {
        return Some(value.get("result")?.as_str()?.to_owned());
    }
    let (_, number) = main_field(value.as_object()?)?;
    Some(number.to_string())
}

fn main_field(fields: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    MAIN.iter()
        .find_map(|name| Some((*name, fields.get(*name)?)))
        .filter(|(_, value)| value.is_number())
}

/// An answer from all results of a turn.
pub(super) fn write(results: &[&ToolResult]) -> String {
    let mut paragraphs = Vec::new();
    let looked_up: Vec<&Map<String, Value>> = results
        .iter()
        .filter(|result| result.name == DATA_FETCHER)
        .filter_map(|result| result.outcome.as_ref().ok()?.as_object())
        .collect();
    match looked_up.as_slice() {
        [] => {}
        [one] => paragraphs.push(sentence(one)),
        several => paragraphs.extend(compared(several)),
    }
    for result in results {
        match &result.outcome {
            Ok(value) if result.name == CALCULATOR => paragraphs.push(computed(value)),
            Ok(_) => {}
            Err(error) => {
                paragraphs.push(format!(
                    "The tool `{}` did not manage: {error}",
                    result.name
                ));
            }
        }
    }
    let is_made_up = |fields: &&Map<String, Value>| {
        fields.get("simulated") == Some(&Value::Bool(true)) && !is_time(fields)
    };
    if looked_up.iter().any(is_made_up) {
        paragraphs.push("_These figures are simulated._".to_owned());
    }
    if looked_up.iter().any(|fields| is_time(fields)) {
        paragraphs.push("_The clock is real; daylight saving is not considered._".to_owned());
    }
    paragraphs.join("\n\n")
}

fn is_time(fields: &Map<String, Value>) -> bool {
    fields.get("data_type").and_then(Value::as_str) == Some("time")
}

fn computed(value: &Value) -> String {
    let text = |key| value.get(key).map(plain).unwrap_or_default();
    let sign = if value.get("exact") == Some(&Value::Bool(false)) {
        "≈"
    } else {
        "="
    };
    format!("`{}` {sign} **{}**", text("expression"), text("result"))
}

/// One result, as a sentence where the kind has one, else as a list.
fn sentence(fields: &Map<String, Value>) -> String {
    let field = |key: &str| fields.get(key).map(plain).unwrap_or_default();
    match field("data_type").as_str() {
        "weather" => format!(
            "The weather in **{}**: {}, {} °C, {} % humidity, wind of {} km/h.",
            field("location"),
            field("condition"),
            field("temperature_c"),
            field("humidity_percent"),
            field("wind_kmh"),
        ),
        "stock" => format!(
            "**{}** stands at ${}, a change of {} %.",
            field("symbol"),
            field("price_usd"),
            field("change_percent"),
        ),
        "time" => time(fields),
        kind => format!(
            "What I found under *{}* for **{}**:

{}",
            title(kind),
            field("query"),
            list(fields)
        ),
    }
}

/// "It is 16:43 on Saturday, 2026-11-21, in **Tokyo** (UTC+09:00)."
fn time(fields: &Map<String, Value>) -> String {
    let field = |key: &str| fields.get(key).map(plain).unwrap_or_default();
    let local = field("local");
    let (date, clock) = local.split_once('T').unwrap_or(("", &local));
    let clock = clock.get(..5).unwrap_or(clock);
    let place = field("query");
    let now = format!("{clock} on {}, {date}", field("weekday"));
    if field("zone") == "UTC" && !place.eq_ignore_ascii_case("utc") {
        return format!("I do not know the zone of **{place}**. In UTC it is {now}.");
    }
    format!("It is {now}, in **{place}** (UTC{}).", field("utc_offset"))
}

fn list(fields: &Map<String, Value>) -> String {
    let lines: Vec<String> = subject_fields(fields)
        .map(|(key, value)| format!("- {}: {}", title(key), plain(value)))
        .collect();
    lines.join("\n")
}

/// Results of one kind as a table, others one by one.
fn compared(several: &[&Map<String, Value>]) -> Vec<String> {
    let keys = |fields: &Map<String, Value>| -> Vec<String> {
        subject_fields(fields).map(|(key, _)| key.clone()).collect()
    };
    let columns = several
        .first()
        .map(|fields| keys(fields))
        .unwrap_or_default();
    if several.iter().any(|fields| keys(fields) != columns) {
        return several.iter().map(|fields| sentence(fields)).collect();
    }
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut rows = vec![
        row(columns.iter().map(|key| title(key)).collect()),
        row(columns.iter().map(|_| "---".to_owned()).collect()),
    ];
    rows.extend(several.iter().map(|fields| {
        row(subject_fields(fields)
            .map(|(_, value)| plain(value).replace('|', "\\|"))
            .collect())
    }));
    let mut paragraphs = vec![rows.join("\n")];
    paragraphs.extend(highest(several));
    paragraphs
}

/// "Highest price (USD): **MSFT** with 551.13."
fn highest(several: &[&Map<String, Value>]) -> Option<String> {
    let amount = |fields: &Map<String, Value>| main_field(fields)?.1.as_f64();
    let most = several.iter().max_by(|one, other| {
        amount(one)
            .partial_cmp(&amount(other))
            .unwrap_or(Ordering::Equal)
    })?;
    let (name, value) = main_field(most)?;
    let (_, subject) = subject_fields(most).next()?;
    Some(format!(
        "Highest {}: **{}** with {}.",
        title(name),
        plain(subject),
        plain(value)
    ))
}

/// The fields of the subject itself: its name first, then what matters most.
fn subject_fields(fields: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    const NAMES: [&str; 8] = [
        "location", "symbol", "order_id", "product", "name", "host", "subject", "zone",
    ];
    let is_name = |key: &str| NAMES.contains(&key);
    let main = main_field(fields).map(|(name, _)| name);
    let is_main = move |key: &str| main == Some(key);
    let names = fields.iter().filter(move |(key, _)| is_name(key));
    let mains = fields.iter().filter(move |(key, _)| is_main(key));
    let others = fields
        .iter()
        .filter(move |(key, _)| !is_name(key) && !is_main(key) && !ABOUT.contains(&key.as_str()));
    names.chain(mains).chain(others)
}

/// `price_usd` as `price (USD)`.
fn title(key: &str) -> String {
    const UNITS: [(&str, &str); 5] = [
        ("_usd", "USD"),
        ("_percent", "%"),
        ("_c", "°C"),
        ("_kmh", "km/h"),
        ("_ms", "ms"),
    ];
    for (ending, unit) in UNITS {
        if let Some(name) = key.strip_suffix(ending) {
            return format!("{} ({unit})", name.replace('_', " "));
        }
    }
    key.replace('_', " ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| format!("{} {}", title(key), plain(value)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Null | Value::Number(_) => grouped(&value.to_string()),
    }
}

/// `28790214` as `28,790,214`; numbers with a point stay.
fn grouped(number: &str) -> String {
    if number.len() < 5 || !number.chars().all(|c| c.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut written = String::new();
    for (index, digit) in number.chars().enumerate() {
        if index > 0 && (number.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}
