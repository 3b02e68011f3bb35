//! Reads Prometheus' text format, as far as a test needs it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails is a failed test"
)]

use std::collections::{BTreeMap, BTreeSet};

use patter_server::metrics::reference;

/// What a server told.
#[derive(Debug)]
pub(crate) struct Exposition {
    /// By name.
    types: BTreeMap<String, String>,
    /// By name and labels, as they are told.
    pub(crate) values: BTreeMap<String, f64>,
}

impl Exposition {
    pub(crate) fn parse(text: &str) -> Self {
        let mut types = BTreeMap::new();
        let mut values = BTreeMap::new();
        for line in text.lines() {
            if let Some(line) = line.strip_prefix("# TYPE ") {
                let (name, kind) = line.split_once(' ').unwrap();
                types.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let twice = values.insert(series.to_owned(), value.parse().unwrap());
                assert!(twice.is_none(), "{series} is told twice");
            }
        }
        Self { types, values }
    }

    pub(crate) fn get(&self, series: &str) -> Option<f64> {
        self.values.get(series).copied()
    }

    /// Holds what is told to what is documented, and, for names that `is_expected`, the other way round.
    pub(crate) fn assert_documented(&self, is_expected: impl Fn(&str) -> bool) {
        let documented: BTreeMap<_, _> = reference::all().map(|it| (it.name, it)).collect();
        for (name, kind) in &self.types {
            let Some(metric) = documented.get(name.as_str()) else {
                panic!("{name} is told and not documented");
            };
            assert_eq!(metric.kind.name(), kind, "{name}");
        }
        for name in documented.keys().filter(|name| is_expected(name)) {
            assert!(self.types.contains_key(*name), "{name} is not told");
        }
        for series in self.values.keys() {
            self.assert_labels(series, &documented);
        }
    }

    fn assert_labels(&self, series: &str, documented: &BTreeMap<&str, &patter_metrics::Metric>) {
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let suffixes = ["_bucket", "_sum", "_count"];
        let histogram = suffixes.iter().find_map(|it| name.strip_suffix(it));
        let metric = documented
            .get(name)
            .or(documented.get(histogram.unwrap_or(name)));
        let mut expected: BTreeSet<_> = metric.unwrap().labels.iter().copied().collect();
        if name.ends_with("_bucket") {
            expected.insert("le");
        }
        let parts = labels.trim_end_matches('}').split("\",");
        let names = parts.filter_map(|part| part.split_once("=\""));
        let found: BTreeSet<_> = names.map(|(name, _)| name).collect();
        assert_eq!(found, expected, "{series}");
    }
}
