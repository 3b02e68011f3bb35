//! What a test has counted: kills, cuts, messages acknowledged, lost, doubled.

use std::collections::BTreeMap;
use std::fmt;

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
