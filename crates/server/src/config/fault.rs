//! What is wrong with a configuration, said so that it can be put right.

use std::fmt;

use super::value::Origin;

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", listed(.faults))]
pub struct ConfigError {
    /// At least one.
    pub faults: Vec<Fault>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key, such as `server.port`, or the file.
    pub subject: String,
    /// What it was given, with secrets masked; `None` where that is not known to be harmless.
    pub value: Option<String>,
    /// Where that came from, if it came from a known place.
    pub origin: Option<Origin>,
    /// What is wrong, and what was expected.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.subject)?;
        if let Some(value) = &self.value {
            write!(f, " = \"{value}\"")?;
        }
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        write!(f, ": {}", self.problem)
    }
}

fn listed(faults: &[Fault]) -> String {
    let mut text = match faults.len() {
        1 => "the configuration has a fault:".to_owned(),
        count => format!("the configuration has {count} faults:"),
    };
    for fault in faults {
        text.push_str("\n  ");
        text.push_str(&fault.to_string());
    }
    text
}
