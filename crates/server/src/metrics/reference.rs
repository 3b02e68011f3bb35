//! All metrics that there are, and their documentation, made from their descriptions. A test holds
//! `docs/metrics.md` to it.

use patter_metrics::{Kind, Metric};

use super::table;

/// Every metric that a server may tell. What has no cause yet, such as the failures of a tool that never
/// failed, is left out of an answer; so is what a store does not have.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    let own = table::METRICS.iter().copied();
    let others = [patter_session::METRICS, patter_store::METRICS];
    own.chain(others).flatten().copied()
}

/// The reference: a table of metrics for each crate that counts, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let server: Vec<&Metric> = table::METRICS.concat();
    let mut text = String::new();
    for (title, metrics) in [
        ("Connections, HTTP, models, tools and the pool", &*server),
        ("Sessions, turns and the spool", patter_session::METRICS),
        ("Writes to the store", patter_store::METRICS),
    ] {
        text.push_str(&format!("## {title}\n\n"));
        text.push_str("| metric | type | labels | tells | when it is not as it should be |\n");
        text.push_str("| --- | --- | --- | --- | --- |\n");
        for metric in metrics {
            text.push_str(&row(metric));
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

fn row(metric: &Metric) -> String {
    let Metric {
        name,
        kind,
        labels,
        help,
        advice,
    } = metric;
    let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
    let labels = labels.join(", ");
    let bounds = match kind {
        Kind::Histogram(bounds) => {
            let bounds: Vec<_> = bounds.iter().map(f64::to_string).collect();
            format!(" Buckets: {}.", bounds.join(", "))
        }
        Kind::Counter | Kind::Gauge => String::new(),
    };
    let kind = kind.name();
    format!("| `{name}` | {kind} | {labels} | {help}{bounds} | {advice} |\n")
}
