//! What is wrong with routes, said so that it can be put right.

use std::fmt;

/// Everything that is wrong with the routes and the classifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the routes cannot be used: {}", listed(.faults))]
pub struct RouterError {
    /// At least one, in the order of the routes, those of the classifier last.
    pub faults: Vec<RouteFault>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFault {
    /// The field, such as `routes[2].pattern` (the first route is `routes[0]`) or
    /// `classifier.on_failure`.
    pub field: String,
    /// What is wrong with it, in one line.
    pub problem: String,
}

impl fmt::Display for RouteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

fn listed(faults: &[RouteFault]) -> String {
    let faults: Vec<_> = faults.iter().map(RouteFault::to_string).collect();
    faults.join("; ")
}
