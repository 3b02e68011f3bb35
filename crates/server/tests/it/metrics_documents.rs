//! What names metrics elsewhere names metrics that there are: the page of documentation, the dashboard and
//! the alert rules. `UPDATE_GENERATED=1` writes the page anew.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something unexpected comes"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use patter_metrics::{Kind, Metric};
use patter_server::metrics::reference;
use regex::Regex;
use serde_json::Value;

const BEGIN: &str = "<!-- metrics: made from their descriptions in the code, do not edit -->\n";
const END: &str = "\n<!-- /metrics -->";

/// Labels that Prometheus adds.
const OF_SCRAPE: [&str; 3] = ["instance", "job", "le"];

fn in_project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(in_project(path)).unwrap()
}

fn metrics() -> BTreeMap<&'static str, &'static Metric> {
    reference::all()
        .map(|metric| (metric.name, metric))
        .collect()
}

#[test]
fn the_committed_page_is_what_the_descriptions_say() {
    let path = "docs/metrics.md";
    let page = read(path);
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}\n{}\n{END}{after}", reference::markdown());
    if std::env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1") {
        std::fs::write(in_project(path), &expected).unwrap();
    }
    let committed = read(path);
    let hint = "is not what the descriptions say: run the tests with UPDATE_GENERATED=1";
    assert!(committed == expected, "{path} {hint}");
}

#[test]
fn each_metric_is_named_once_by_the_conventions_and_tells_what_to_do() {
    let mut names = BTreeSet::new();
    for Metric {
        name,
        kind,
        labels,
        help,
        advice,
    } in reference::all()
    {
        assert!(names.insert(name), "{name} is there twice");
        let is_counter = *kind == Kind::Counter;
        assert_eq!(name.ends_with("_total"), is_counter, "{name}");
        assert!(!name.contains("milli"), "{name} is not in a base unit");
        assert!(help.ends_with('.') && advice.ends_with('.'), "{name}");
        if let Kind::Histogram(bounds) = kind {
            assert!(bounds.is_sorted() && !bounds.is_empty(), "{name}");
            let units = ["_seconds", "_bytes", "_events"];
            assert!(units.iter().any(|unit| name.ends_with(unit)), "{name}");
        }
        for label in *labels {
            // Whatever is an id has no end of values.
            assert!(
                !label.ends_with("id") && !OF_SCRAPE.contains(label),
                "{name}"
            );
        }
    }
}

/// What is wrong with an expression, by the metrics and labels that it names.
fn faults(expression: &str) -> Vec<String> {
    let metrics = metrics();
    let mut faults = Vec::new();
    let mut labels_of_all: BTreeSet<&str> = OF_SCRAPE.into();
    let name_of = Regex::new(r"\bpatter_[a-z_]+\b(\{[^}]*\})?").unwrap();
    let label_of = Regex::new(r#"([a-z_]+)\s*(?:=~|!~|!=|=)\s*""#).unwrap();
    for found in name_of.captures_iter(expression) {
        let selector = found.get(1).map_or("", |it| it.as_str());
        let name = found[0].trim_end_matches(selector);
        let suffixes = ["_bucket", "_sum", "_count"];
        let part = suffixes.iter().find_map(|it| name.strip_suffix(it));
        let histogram = part.and_then(|name| metrics.get(name));
        let metric = match (metrics.get(name), histogram) {
            (Some(metric), _) if matches!(metric.kind, Kind::Histogram(_)) => {
                faults.push(format!("{name} is a histogram and used as a number"));
                continue;
            }
            (Some(metric), _) => metric,
            (None, Some(metric)) if matches!(metric.kind, Kind::Histogram(_)) => metric,
            (None, Some(_)) => {
                faults.push(format!("{name}: it is no histogram"));
                continue;
            }
            (None, None) => {
                faults.push(format!("{name}: there is no such metric"));
                continue;
            }
        };
        for label in label_of.captures_iter(selector) {
            let label = label.get(1).unwrap().as_str();
            if !metric.labels.contains(&label) && !OF_SCRAPE.contains(&label) {
                faults.push(format!("{name} has no label {label}"));
            }
        }
        labels_of_all.extend(metric.labels);
        let is_rate = Regex::new(&format!(
            r"(rate|increase)\({}(\{{|\[)",
            regex::escape(name)
        ));
        let only_grows = metric.kind != Kind::Gauge;
        if only_grows != is_rate.unwrap().is_match(expression) {
            faults.push(format!(
                "{name}: rates are of what only grows, and of nothing else"
            ));
        }
    }
    let grouped = Regex::new(r"by \(([^)]*)\)").unwrap();
    for group in grouped.captures_iter(expression) {
        for label in group[1].split(',').map(str::trim) {
            if !labels_of_all.contains(label) {
                faults.push(format!("nothing has the label {label}"));
            }
        }
    }
    let quantiles = expression.matches("histogram_quantile(").count();
    if quantiles != expression.matches("_bucket").count() {
        faults.push("quantiles are of buckets, and buckets are for quantiles".to_owned());
    }
    faults
}

/// The expressions of the dashboard, by the titles of their panels.
fn of_dashboard() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/patter.json")).unwrap();
    let mut expressions = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().into_iter().flatten() {
            expressions.push((
                title.to_owned(),
                target["expr"].as_str().unwrap().to_owned(),
            ));
        }
    }
    expressions
}

/// The expressions of the alert rules, by their names. Each stands on the line after `expr: |`.
fn of_alerts() -> Vec<(String, String)> {
    let text = read("deploy/prometheus/alerts.yml");
    let mut expressions = Vec::new();
    for rule in text.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let (_, rest) = rule.split_once("expr: |\n").unwrap();
        expressions.push((name.to_owned(), rest.lines().next().unwrap().to_owned()));
        for key in ["for", "severity", "summary", "description", "action"] {
            assert!(rule.contains(&format!(" {key}: ")), "{name} has no {key}");
        }
    }
    expressions
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_there_are() {
    let (dashboard, alerts) = (of_dashboard(), of_alerts());
    assert!(dashboard.len() > 40 && alerts.len() > 10);
    for (title, expression) in dashboard.iter().chain(&alerts) {
        let faults = faults(expression);
        assert!(faults.is_empty(), "{title}: {faults:?} in {expression}");
    }
    // `up` is the one metric that is not ours.
    let foreign = alerts.iter().filter(|(_, it)| !it.contains("patter_"));
    assert_eq!(foreign.count(), 1);
}

#[test]
fn every_metric_but_what_explains_others_is_on_the_dashboard() {
    let shown: String = of_dashboard()
        .into_iter()
        .map(|(_, it)| it + "\n")
        .collect();
    let missing: Vec<_> = metrics()
        .into_keys()
        .filter(|name| !shown.contains(name))
        .collect();
    let explained = [
        "patter_circuit_opened_total",
        "patter_spool_max_age_seconds",
        "patter_start_time_seconds",
        "patter_store_pool_acquires_failed_total",
    ];
    assert_eq!(missing, explained);
}

#[test]
fn what_is_wrong_with_an_expression_is_found() {
    for (expression, fault) in [
        ("patter_nothing", "no such metric"),
        ("rate(patter_nothing_total[5m])", "no such metric"),
        ("patter_turn_seconds", "used as a number"),
        ("rate(patter_turns_count[5m])", "no such metric"),
        ("patter_connections_bucket", "no histogram"),
        ("rate(patter_turns_total{user=\"x\"}[5m])", "no label user"),
        ("sum by (user) (patter_connections)", "the label user"),
        ("patter_turns_total", "only grows"),
        ("rate(patter_connections[5m])", "only grows"),
        ("rate(patter_turn_seconds_bucket[5m])", "buckets"),
    ] {
        let found = faults(expression).join(", ");
        assert!(found.contains(fault), "{expression}: {found}");
    }
    let fine = "histogram_quantile(0.9, sum by (le) (rate(patter_turn_seconds_bucket[5m])))";
    assert!(faults(fine).is_empty(), "{:?}", faults(fine));
}
