//! `patter token NAME`: makes the token of a service, and says what to write where.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::auth::{new_token, sha256};
use crate::cli::TokenArgs;

/// A token that was just made. Printing it is the one way to learn it: nothing keeps it.
#[derive(Debug)]
pub struct NewToken {
    name: String,
    scope: &'static str,
    token: SecretString,
    sha256: String,
}

impl NewToken {
    /// A token as it is wanted; `None` where the system has no randomness.
    #[must_use]
    pub fn new(arguments: &TokenArgs) -> Option<Self> {
        let token = new_token()?;
        let hash = sha256(token.expose_secret());
        Some(Self {
            name: arguments.name.clone(),
            scope: arguments.scope.word(),
            sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            token,
        })
    }
}

impl fmt::Display for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.token.expose_secret())?;
        writeln!(f, "Shown this once. The service sends it in")?;
        writeln!(f, "`Authorization: Bearer`; the server knows it by this:\n")?;
        writeln!(f, "[tokens.{}]", self.name)?;
        writeln!(f, "sha256 = \"{}\"", self.sha256)?;
        writeln!(f, "scope = \"{}\"", self.scope)
    }
}

impl Serialize for NewToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("NewToken", 4)?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("token", self.token.expose_secret())?;
        fields.serialize_field("sha256", &self.sha256)?;
        fields.serialize_field("scope", self.scope)?;
        fields.end()
    }
}
