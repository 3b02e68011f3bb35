//! Figures that somebody keeps anyway: they are asked for when Prometheus wants them, and not counted
//! a second time.

use std::collections::HashMap;
use std::fmt;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, LabelPair, MetricFamily, MetricType};

use crate::metric::{Kind, Metric};

/// Metrics whose values are asked for. To be given to a [`Registry`](crate::Registry).
pub struct Asked {
    metrics: &'static [&'static Metric],
    descriptions: Vec<Desc>,
    ask: Box<dyn Fn() -> Vec<Sample> + Send + Sync>,
}

/// A value of a metric that was asked for.
#[derive(Debug)]
pub struct Sample {
    metric: &'static Metric,
    labels: Vec<LabelPair>,
    value: f64,
}

impl Asked {
    /// These counters and gauges have the values that `ask` gives each time. It should be quick, and
    /// must not wait for anybody: a monitor that hangs with what it watches is of no use.
    #[must_use]
    pub fn new(
        metrics: &'static [&'static Metric],
        ask: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
    ) -> Self {
        let describe = |metric: &&Metric| {
            let labels = metric.labels.iter().map(|&label| label.to_owned());
            let (name, help) = (metric.name.to_owned(), metric.help.to_owned());
            Desc::new(name, help, labels.collect(), HashMap::new()).ok()
        };
        Self {
            metrics,
            descriptions: metrics.iter().filter_map(describe).collect(),
            ask: Box::new(ask),
        }
    }
}

impl Sample {
    pub(crate) fn new(metric: &'static Metric, labels: &[&str], value: f64) -> Self {
        let labels = metric.labels.iter().zip(labels);
        let labels = labels.map(|(&name, &value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value.to_owned());
            pair
        });
        let mut labels: Vec<_> = labels.collect();
        // As those of all others are.
        labels.sort();
        Self {
            metric,
            labels,
            value,
        }
    }

    fn into_proto(self) -> proto::Metric {
        let mut metric = proto::Metric::from_label(self.labels);
        if self.metric.kind == Kind::Counter {
            let mut counter = proto::Counter::default();
            counter.set_value(self.value);
            metric.set_counter(counter);
        } else {
            let mut gauge = proto::Gauge::default();
            gauge.set_value(self.value);
            metric.set_gauge(gauge);
        }
        metric
    }
}

impl Collector for Asked {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut samples = (self.ask)();
        let mut families = Vec::with_capacity(self.metrics.len());
        for metric in self.metrics {
            let of_this = samples.extract_if(.., |sample| sample.metric == *metric);
            let mut family = MetricFamily::default();
            family.set_name(metric.name.to_owned());
            family.set_help(metric.help.to_owned());
            family.set_field_type(match metric.kind {
                Kind::Counter => MetricType::COUNTER,
                Kind::Gauge | Kind::Histogram(_) => MetricType::GAUGE,
            });
            family.set_metric(of_this.map(Sample::into_proto).collect());
            families.push(family);
        }
        families
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}
