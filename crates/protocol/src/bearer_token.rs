//! A credential in a frame: whoever prints the frame does not print it.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// A credential, as a client shows it.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct BearerToken(String);

impl BearerToken {
    /// The credential itself.
    #[must_use]
    pub fn expose(self) -> String {
        self.0
    }
}

impl From<String> for BearerToken {
    fn from(token: String) -> Self {
        Self(token)
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}
