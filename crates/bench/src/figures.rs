//! Figures by name, each of a unit that its name ends with; medians and ratios of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one run of a scenario has found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Sets a figure.
    pub fn set(&mut self, name: &str, figure: f64) {
        self.0.insert(name.to_owned(), figure);
    }

    /// A figure, if it was found.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Of each figure the median over several runs.
    #[must_use]
    pub fn medians(runs: &[Self]) -> Self {
        let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (name, figure) in runs.iter().flat_map(|run| &run.0) {
            all.entry(name).or_default().push(*figure);
        }
        let medians = all
            .into_iter()
            .map(|(name, mut figures)| (name.to_owned(), median(&mut figures)));
        Self(medians.collect())
    }
}

/// The middle one; of two in the middle, what is halfway. Of none, 0.
#[must_use]
pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    let half = figures.len() / 2;
    match (figures.get(half), figures.len() % 2) {
        (None, _) => 0.0,
        (Some(middle), 1) => *middle,
        (Some(above), _) => figures
            .get(half - 1)
            .map_or(*above, |below| f64::midpoint(*below, *above)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_what_is_halfway() {
        assert_eq!(median(&mut [3.0, 1.0, 9.0]), 3.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 9.0]), 3.0);
        assert_eq!(median(&mut []), 0.0);
    }

    #[test]
    fn each_figure_has_a_median_of_its_own() {
        let run = |a: f64, b: f64| {
            let mut figures = Figures::default();
            figures.set("a", a);
            figures.set("b", b);
            figures
        };
        let medians = Figures::medians(&[run(1.0, 6.0), run(2.0, 5.0), run(3.0, 4.0)]);
        assert_eq!((medians.get("a"), medians.get("b")), (Some(2.0), Some(5.0)));
    }
}
