//! Simulated sales of a product or region over 30 days.

use serde_json::{Value, json};

use super::seed::Seed;

/// Revenue is orders times the mean order.
pub(super) fn fetch(query: &str, mut seed: Seed) -> Value {
    let orders = seed.between(40, 4_000);
    let mean_order_usd = seed.between(15, 220);
    json!({
        "subject": query,
        "period": "30 days",
        "orders": orders,
        "mean_order_usd": mean_order_usd,
        "revenue_usd": orders * mean_order_usd,
        "growth_percent": seed.tenths(-150, 350),
        "top_product": seed.pick(&["keyboard", "monitor", "desk lamp", "notebook", "headset"]),
    })
}
