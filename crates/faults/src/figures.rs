//! What a test has counted (kills, cuts, messages acknowledged, lost, doubled), and percentiles of times.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Named counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures(BTreeMap<&'static str, u64>);

impl Figures {
    /// Adds to a count.
    pub fn add(&mut self, name: &'static str, number: usize) {
        *self.0.entry(name).or_default() += number as u64;
    }

    /// Adds all counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (name, number) in &other.0 {
            *self.0.entry(name).or_default() += number;
        }
    }

    /// A count; 0 if it was never added to.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<String> = self
            .0
            .iter()
            .map(|(name, number)| format!("{name} {number}"))
            .collect();
        f.write_str(&list.join(", "))
    }
}

/// The time within which so many of a hundred lie, by the nearest rank; zero where there are none.
#[must_use]
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let of = |percent| percentile(&times, percent).as_millis();
        assert_eq!((of(50), of(99), of(100)), (100, 198, 200));
        assert_eq!(percentile(&times[..1], 99).as_millis(), 200);
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
