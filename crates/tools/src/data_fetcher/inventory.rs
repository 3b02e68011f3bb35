//! Simulated stock of a product in a warehouse.

use serde_json::{Value, json};

use super::seed::Seed;

/// What is reserved is never more than what is there.
pub(super) fn fetch(query: &str, mut seed: Seed) -> Value {
    let on_hand = seed.between(0, 500);
    let reserved = seed.between(0, on_hand);
    let reorder_point = seed.between(20, 120);
    json!({
        "product": query,
        "sku": format!("SKU-{}", seed.between(100_000, 999_999)),
        "warehouse": seed.pick(&["North", "South", "East", "West"]),
        "on_hand": on_hand,
        "reserved": reserved,
        "available": on_hand - reserved,
        "reorder_point": reorder_point,
        "needs_reorder": on_hand - reserved < reorder_point,
    })
}
