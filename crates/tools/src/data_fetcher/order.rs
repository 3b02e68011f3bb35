//! Simulated order. The total is the sum of its lines.

use serde_json::{Value, json};

use super::seed::Seed;

pub(super) fn fetch(query: &str, mut seed: Seed) -> Value {
    let mut total_cents = 0;
    let mut items = Vec::new();
    for _ in 0..seed.between(1, 4) {
        let product = seed.pick(&[
            "keyboard",
            "monitor",
            "desk lamp",
            "notebook",
            "headset",
            "cable",
        ]);
        let quantity = seed.between(1, 5);
        let price_cents = seed.between(299, 39_999);
        total_cents += quantity * price_cents;
        items.push(json!({
            "product": product,
            "quantity": quantity,
            "unit_price_usd": dollars(price_cents),
        }));
    }
    json!({
        "order_id": query,
        "status": seed.pick(&["processing", "packed", "shipped", "delivered", "returned"]),
        "placed_on": format!("2025-{:02}-{:02}", seed.between(1, 12), seed.between(1, 28)),
        "items": items,
        "total_usd": dollars(total_cents),
    })
}

/// At most some ten thousand dollars, which a float holds to the cent.
fn dollars(cents: i64) -> f64 {
    i32::try_from(cents).map_or(f64::INFINITY, f64::from) / 100.0
}
