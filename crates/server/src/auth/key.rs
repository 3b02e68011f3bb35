//! A key that signatures are checked by. Each is good for one algorithm, whatever a token says of itself:
//! a public key taken for the secret of an HMAC would let anybody sign.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use secrecy::{ExposeSecret, SecretString};

use super::claims::Claims;
use super::error::AuthError;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    /// A shared secret; `None` where it is empty.
    pub(super) fn secret(secret: &SecretString) -> Option<Self> {
        Some(Self {
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(secret.expose_secret().as_bytes()).ok()?,
        })
    }

    /// A key that a provider publishes; `None` where it is for something else than signatures that are
    /// understood here. A symmetric key is never published.
    pub(super) fn published(jwk: &Jwk) -> Option<Self> {
        let use_ = jwk.common.public_key_use.as_ref();
        if use_.is_some_and(|use_| *use_ != PublicKeyUse::Signature) {
            return None;
        }
        let algorithm = match (&jwk.algorithm, jwk.common.key_algorithm) {
            (AlgorithmParameters::EllipticCurve(key), None | Some(KeyAlgorithm::ES256))
                if key.curve == EllipticCurve::P256 =>
            {
                Algorithm::ES256
            }
            (AlgorithmParameters::RSA(_), None | Some(KeyAlgorithm::RS256)) => Algorithm::RS256,
            _ => return None,
        };
        Some(Self {
            algorithm,
            key: DecodingKey::from_jwk(jwk).ok()?,
        })
    }

    /// The claims of a token that this key signed. Nothing is known of them yet but that.
    pub(super) fn claims(&self, token: &str) -> Result<Claims, AuthError> {
        let mut validation = Validation::new(self.algorithm);
        // All of it is done by `claims::Rules`, more strictly.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let decoded = decode(token, &self.key, &validation);
        decoded
            .map(|token| token.claims)
            .map_err(|_error| AuthError::Refused)
    }
}
