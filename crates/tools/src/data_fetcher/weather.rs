//! Simulated weather of a place.

use serde_json::{Value, json};

use super::seed::Seed;

/// The condition fits the temperature: no snow in the heat.
pub(super) fn fetch(query: &str, mut seed: Seed) -> Value {
    let temperature_c = seed.tenths(-80, 340);
    let condition = if temperature_c < 2.0 {
        seed.pick(&["snow", "overcast", "clear", "fog"])
    } else {
        seed.pick(&[
            "sunny",
            "partly cloudy",
            "overcast",
            "light rain",
            "thunderstorm",
        ])
    };
    json!({
        "location": query,
        "temperature_c": temperature_c,
        "condition": condition,
        "humidity_percent": seed.between(30, 95),
        "wind_kmh": seed.between(0, 45),
    })
}
