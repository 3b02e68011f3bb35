//! The description of a metric, from which what counts is made.

use prometheus::{CounterVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts};

use crate::asked::Sample;

/// A metric: its name, what it tells, and what to do about it.
///
/// Names follow the [conventions of Prometheus](https://prometheus.io/docs/practices/naming/): base units
/// (seconds, bytes, dollars) in the name, `_total` for what only grows. A label has few values, all known
/// beforehand or named by the configuration: never an id, a user, or what a client sent.
#[derive(Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What can be done with its values.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells, in a sentence.
    pub help: &'static str,
    /// What it means when it is not as it should be, and what to do then.
    pub advice: &'static str,
}

/// What can be done with the values of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows, but for a restart.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many values there were, their sum, and how many were at most each of these bounds.
    Histogram(&'static [f64]),
}

impl Kind {
    /// As Prometheus calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

impl Metric {
    /// Describes a counter.
    #[must_use]
    pub const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        advice: &'static str,
    ) -> Self {
        Self::new(Kind::Counter, name, labels, help, advice)
    }

    /// Describes a gauge.
    #[must_use]
    pub const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        advice: &'static str,
    ) -> Self {
        Self::new(Kind::Gauge, name, labels, help, advice)
    }

    /// Describes a histogram with these upper bounds, in the unit that its name tells.
    #[must_use]
    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        bounds: &'static [f64],
        help: &'static str,
        advice: &'static str,
    ) -> Self {
        Self::new(Kind::Histogram(bounds), name, labels, help, advice)
    }

    const fn new(
        kind: Kind,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        advice: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            labels,
            help,
            advice,
        }
    }

    /// Counts in whole numbers, which only grow.
    #[must_use]
    pub fn counts(&self) -> IntCounterVec {
        made(IntCounterVec::new(self.opts(), self.labels))
    }

    /// Adds up what need not be whole.
    #[must_use]
    pub fn sums(&self) -> CounterVec {
        made(CounterVec::new(self.opts(), self.labels))
    }

    /// Tells how many there are now.
    #[must_use]
    pub fn levels(&self) -> IntGaugeVec {
        made(IntGaugeVec::new(self.opts(), self.labels))
    }

    /// Sorts values into the buckets of the description.
    #[must_use]
    pub fn measures(&self) -> HistogramVec {
        let mut opts = HistogramOpts::from(self.opts());
        if let Kind::Histogram(bounds) = self.kind {
            opts = opts.buckets(bounds.to_vec());
        }
        made(HistogramVec::new(opts, self.labels))
    }

    /// A value that was [`Asked`](crate::Asked) for; one label for each name.
    #[must_use]
    pub fn sample(&'static self, labels: &[&str], value: f64) -> Sample {
        Sample::new(self, labels, value)
    }

    fn opts(&self) -> Opts {
        Opts::new(self.name, self.help)
    }
}

#[expect(
    clippy::expect_used,
    reason = "fails for names that are not names only, which stand in the code; tests make each metric"
)]
fn made<T>(result: Result<T, prometheus::Error>) -> T {
    result.expect("the description of a metric is a valid one")
}
