//! The tokens of services, as the configuration has them: by their digests.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::secret::{Sha256, TOKEN_PREFIX, sha256};
use super::{Scope, Subject};
use crate::config::{TokenConfig, TokenScope};

/// All of them.
#[derive(Debug)]
pub(super) struct Services(Vec<(Sha256, Subject)>);

impl Services {
    pub(super) fn new(tokens: &BTreeMap<String, TokenConfig>) -> Self {
        let services = tokens.iter().filter_map(|(name, token)| {
            let scope = match token.scope {
                TokenScope::Read => Scope::Read,
                TokenScope::Act => Scope::Act,
            };
            let name = name.as_str().into();
            // The configuration takes nothing else than 64 digits.
            Some((bytes_of(&token.sha256)?, Subject::Service { name, scope }))
        });
        Self(services.collect())
    }

    /// Whether a token is one of ours by its looks.
    pub(super) fn is_token(token: &str) -> bool {
        token.starts_with(TOKEN_PREFIX)
    }

    /// Whose token it is.
    pub(super) fn find(&self, token: &str) -> Option<&Subject> {
        let hash = sha256(token);
        let mut found = None;
        // All of them are compared: how long it takes tells nothing.
        for (known, subject) in &self.0 {
            if verify_slices_are_equal(known, &hash).is_ok() {
                found = Some(subject);
            }
        }
        found
    }
}

fn bytes_of(hex: &str) -> Option<Sha256> {
    let mut bytes = Sha256::default();
    for (place, byte) in bytes.iter_mut().enumerate() {
        let digits = hex.get(2 * place..2 * place + 2)?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}
