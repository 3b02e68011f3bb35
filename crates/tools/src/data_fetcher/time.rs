//! The time: a real clock, and a simple idea of zones.
//!
//! A city has the offset of its standard time; daylight saving is not known here, and the result
//! says so.

use chrono::{DateTime, FixedOffset, Offset, SecondsFormat, Utc};
use serde_json::{Value, json};

/// Cities and the standard offset of their zone from UTC, in minutes.
const OFFSETS: [(&str, i32); 21] = [
    ("los angeles", -480),
    ("san francisco", -480),
    ("chicago", -360),
    ("new york", -300),
    ("toronto", -300),
    ("sao paulo", -180),
    ("são paulo", -180),
    ("london", 0),
    ("lisbon", 0),
    ("berlin", 60),
    ("madrid", 60),
    ("paris", 60),
    ("rome", 60),
    ("cairo", 120),
    ("istanbul", 180),
    ("dubai", 240),
    ("mumbai", 330),
    ("singapore", 480),
    ("beijing", 480),
    ("tokyo", 540),
    ("sydney", 600),
];

/// A query that names none of the cities gets the time in UTC.
pub(super) fn fetch(query: &str, now: DateTime<Utc>) -> Value {
    let city = OFFSETS.iter().find(|(city, _)| names(query, city));
    let (zone, minutes) = city.map_or(("UTC", 0), |(city, minutes)| (*city, *minutes));
    let offset = FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix());
    let local = now.with_timezone(&offset);
    json!({
        "utc": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "zone": zone,
        "utc_offset": offset.to_string(),
        "local": local.to_rfc3339_opts(SecondsFormat::Secs, false),
        "weekday": local.format("%A").to_string(),
        "note": "the clock is real; the zone is standard time, daylight saving is not considered",
    })
}

/// Whether the query has the city in it, as whole words: "Jerome" is not in Rome.
fn names(query: &str, city: &str) -> bool {
    let query = query.to_lowercase();
    let words: Vec<&str> = query
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let city: Vec<&str> = city.split(' ').collect();
    words.windows(city.len()).any(|window| window == city)
}
