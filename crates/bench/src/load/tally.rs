//! What is counted of tokens and answers, while it is measured and not before or after.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hdrhistogram::Histogram;

use crate::figures::Figures;

/// Three digits of a latency are kept.
const DIGITS: u8 = 3;
/// Longer ones count as this long.
const LONGEST_NS: u64 = 60_000_000_000;

/// Counts of one process, in one thread.
#[derive(Debug)]
pub struct Tally {
    is_measured: Cell<bool>,
    tokens: Cell<u64>,
    answers: Cell<u64>,
    latency_ns: RefCell<Histogram<u64>>,
}

impl Tally {
    /// Counts nothing yet.
    ///
    /// # Errors
    ///
    /// Never: the bounds are sound.
    pub fn new() -> anyhow::Result<Rc<Self>> {
        Ok(Rc::new(Self {
            is_measured: Cell::new(false),
            tokens: Cell::new(0),
            answers: Cell::new(0),
            latency_ns: RefCell::new(Histogram::new_with_bounds(1, LONGEST_NS, DIGITS)?),
        }))
    }

    /// Begins to count, or ends.
    pub fn measure(&self, is_measured: bool) {
        self.is_measured.set(is_measured);
    }

    /// A token that took so long.
    pub fn token(&self, latency_ns: u64) {
        if self.is_measured.get() {
            self.tokens.set(self.tokens.get() + 1);
            self.latency(latency_ns);
        }
    }

    /// Something that was waited for so long.
    pub fn waited(&self, latency_ns: u64) {
        if self.is_measured.get() {
            self.latency(latency_ns);
        }
    }

    /// An answer that is over.
    pub fn answer(&self) {
        if self.is_measured.get() {
            self.answers.set(self.answers.get() + 1);
        }
    }

    /// Tokens that were counted.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens.get()
    }

    /// Answers that were counted.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.answers.get()
    }

    /// Tells the latencies, in µs.
    pub fn tell_latencies(&self, figures: &mut Figures) {
        let latency = self.latency_ns.borrow();
        for (name, quantile) in [
            ("latency_p50_us", 0.5),
            ("latency_p99_us", 0.99),
            ("latency_p999_us", 0.999),
        ] {
            let ns = latency.value_at_quantile(quantile);
            figures.set(name, ns as f64 / 1_000.0);
        }
    }

    fn latency(&self, latency_ns: u64) {
        self.latency_ns.borrow_mut().saturating_record(latency_ns);
    }
}
