//! Counts something, times something, and prints what Prometheus would read.
#![expect(clippy::print_stdout, reason = "an example shows something")]

use patter_metrics::{Asked, Error, Metric, Registry, text};

const LINES: Metric = Metric::counter("lines_total", &[], "Lines that were read.", "");
const LENGTH: Metric = Metric::histogram(
    "line_bytes",
    &[],
    &[10.0, 100.0, 1000.0],
    "How long they are.",
    "",
);
const SPACE: Metric = Metric::gauge("space_bytes", &["disk"], "What is left.", "Tidy up.");

fn main() -> Result<(), Error> {
    let (lines, lengths) = (LINES.counts(), LENGTH.measures());
    let space = Asked::new(&[&SPACE], || vec![SPACE.sample(&["a"], 42.0)]);
    let registry = Registry::new();
    registry.register(Box::new(lines.clone()))?;
    registry.register(Box::new(lengths.clone()))?;
    registry.register(Box::new(space))?;

    let line: [&str; 0] = [];
    let own = lengths.with_label_values(&line).local();
    for text in ["one", "another one"] {
        lines.with_label_values(&line).inc();
        own.observe(f64::from(u8::try_from(text.len()).unwrap_or(u8::MAX)));
    }
    // Merges what this task has measured for itself.
    drop(own);
    println!("{}", text(&registry));
    Ok(())
}
