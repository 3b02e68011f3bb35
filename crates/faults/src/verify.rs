//! The judge: it holds the invariants I1 to I8 against what every side tells of one run, and complains
//! with the evidence. What they say is in the README.

mod log;
mod model;
mod readers;

use std::fmt;

use crate::history::History;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariant {
    /// `seq` is 1..n without a gap.
    I1,
    /// Durable frames of a connection rise by 1 from `after` + 1.
    I2,
    /// What was seen is what is stored.
    I3,
    /// An acknowledged message is one row.
    I4,
    /// One answer for each message.
    I5,
    /// Tokens are the beginning of the answer.
    I6,
    /// Finalized once for each opening.
    I7,
    /// The model is asked once.
    I8,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Which.
    pub invariant: Invariant,
    /// In which session.
    pub session: String,
    /// What shows it.
    pub evidence: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            invariant,
            session,
            evidence,
        } = self;
        write!(f, "{invariant:?} broken in session {session}: {evidence}")
    }
}

/// Complaints about one run; none, if all is well.
#[must_use]
pub fn verify(history: &History) -> Vec<Complaint> {
    let mut complaints = Complaints(Vec::new());
    log::check(history, &mut complaints);
    readers::check(history, &mut complaints);
    model::check(history, &mut complaints);
    complaints.0
}

/// Where the parts of the judge put what they find.
struct Complaints(Vec<Complaint>);

impl Complaints {
    fn add(&mut self, invariant: Invariant, session: &str, evidence: impl Into<String>) {
        self.0.push(Complaint {
            invariant,
            session: session.to_owned(),
            evidence: evidence.into(),
        });
    }
}

#[cfg(test)]
mod tests;
