//! Simulated state of a machine or service.

use serde_json::{Value, json};

use super::seed::Seed;

/// The status follows from the figures.
pub(super) fn fetch(query: &str, mut seed: Seed) -> Value {
    let cpu_percent = seed.tenths(20, 980);
    let memory_percent = seed.tenths(150, 950);
    let status = if cpu_percent > 90.0 || memory_percent > 90.0 {
        "degraded"
    } else {
        "healthy"
    };
    json!({
        "host": query,
        "status": status,
        "cpu_percent": cpu_percent,
        "memory_percent": memory_percent,
        "disk_percent": seed.tenths(100, 900),
        "requests_per_second": seed.between(0, 2_500),
        "latency_p95_ms": seed.between(4, 480),
        "uptime_hours": seed.between(1, 4_000),
    })
}
