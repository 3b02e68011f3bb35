//! Users, who show a JWT: which key it must be signed by, and what it must say.

use jsonwebtoken::{Algorithm, Header, decode_header};
use patter_protocol::Timestamp;

use super::claims::{Rules, User};
use super::error::AuthError;
use super::jwks::Jwks;
use super::key::Key;
use crate::config::AuthConfig;
use crate::error::ServerError;

/// Providers make some of a few hundred bytes to three kilobytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Tells users by their tokens.
#[derive(Debug)]
pub(super) struct Users {
    secret: Option<Key>,
    published: Option<Jwks>,
    rules: Rules,
}

impl Users {
    /// `None` where no issuer is configured.
    pub(super) fn new(config: &AuthConfig) -> Result<Option<Self>, ServerError> {
        let Some(rules) = Rules::new(config) else {
            return Ok(None);
        };
        Ok(Some(Self {
            secret: config.hs256_secret.as_ref().and_then(Key::secret),
            published: config.keys_url().map(Jwks::new).transpose()?,
            rules,
        }))
    }

    /// Who the token names.
    pub(super) async fn user(&self, token: &str) -> Result<User, AuthError> {
        if token.len() > MAX_TOKEN_BYTES || token.split('.').count() != 3 {
            return Err(AuthError::Refused);
        }
        let header = decode_header(token).map_err(|_error| AuthError::Refused)?;
        if header.crit.is_some() {
            return Err(AuthError::Refused);
        }
        let claims = self.claims(token, &header).await?;
        self.rules.user(claims, Timestamp::now())
    }

    /// Forgets the published keys, and fetches them anew when the next token comes.
    pub(super) fn flush_keys(&self) {
        if let Some(published) = &self.published {
            published.flush();
        }
    }

    /// What the header says chooses among keys that are trusted, and never how they are used. Keys in the
    /// header, and addresses of such, are not looked at.
    async fn claims(
        &self,
        token: &str,
        header: &Header,
    ) -> Result<super::claims::Claims, AuthError> {
        if header.alg == Algorithm::HS256 {
            let key = self.secret.as_ref().ok_or(AuthError::Refused)?;
            return key.claims(token);
        }
        let published = self.published.as_ref().ok_or(AuthError::Refused)?;
        let keys = published.keys_for(header.kid.as_deref()).await?;
        let key = keys.find(header.kid.as_deref()).ok_or(AuthError::Refused)?;
        key.claims(token)
    }
}
