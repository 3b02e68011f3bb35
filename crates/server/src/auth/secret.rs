//! Secrets that are made here, and what is kept of them: 256 random bits, of which only the SHA-256 stays.
//! Nobody finds them by trying, so the digest needs neither salt nor slowness.

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

/// What is kept of a secret.
pub(crate) type Sha256 = [u8; 32];

/// What tokens of services begin with, by which they are known where they got lost.
pub(crate) const TOKEN_PREFIX: &str = "patter_";

/// The digest of a secret.
pub(crate) fn sha256(secret: &str) -> Sha256 {
    let mut hash = Sha256::default();
    let digest = digest::digest(&digest::SHA256, secret.as_bytes());
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// A secret that nobody can guess; `None` where the system has no randomness, which is a defect of it.
pub(super) fn random() -> Option<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// A new token for a service.
pub(crate) fn new_token() -> Option<SecretString> {
    Some(format!("{TOKEN_PREFIX}{}", random()?).into())
}
