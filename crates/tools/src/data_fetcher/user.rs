//! Simulated account of a user. Its mail address is in a domain that can never exist.

use serde_json::{Value, json};

use super::seed::Seed;

pub(super) fn fetch(query: &str, mut seed: Seed) -> Value {
    let first = seed.pick(&[
        "Ada", "Bela", "Chidi", "Dana", "Emre", "Freya", "Goro", "Hana",
    ]);
    let last = seed.pick(&[
        "Adler", "Brook", "Costa", "Dale", "Eriksen", "Fuchs", "Grant",
    ]);
    let user_id = format!("U-{}", seed.between(10_000, 99_999));
    json!({
        "user_id": user_id,
        "matched": query,
        "name": format!("{first} {last}"),
        "email": format!("{}.{}@example.invalid", first.to_lowercase(), last.to_lowercase()),
        "plan": seed.pick(&["free", "pro", "team", "enterprise"]),
        "status": seed.pick(&["active", "active", "active", "suspended"]),
        "orders_count": seed.between(0, 80),
    })
}
