//! A value before it is checked, and where it came from.

use std::collections::BTreeMap;
use std::fmt;

use super::kind::split;

/// What was written for a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Text, or a number or a truth value of the file as text.
    Text(String),
    /// A list of the file.
    List(Vec<String>),
    /// Something else of the file, by the name of its type.
    Other(&'static str),
}

impl Value {
    /// The items, if it is a list: in a variable they stand between commas.
    pub(crate) fn items(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => split(text),
            Self::List(items) => items.iter().map(|item| item.trim()).collect(),
            Self::Other(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(items) => f.write_str(&items.join(",")),
            Self::Other(type_name) => write!(f, "<{type_name}>"),
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// A configuration file.
    File {
        /// The file, as it was named.
        name: String,
        /// Counted from 1.
        line: usize,
    },
    /// A variable in the `.env` file.
    DotEnv {
        /// Its name.
        variable: String,
    },
    /// A variable of the environment.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag of the command line, such as `--port`.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line } => write!(f, "{name} line {line}"),
            Self::DotEnv { variable } => write!(f, "{variable} in .env"),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// What is in force for each path that somebody, or a default, gave a value.
pub(crate) type Values = BTreeMap<String, Given>;
