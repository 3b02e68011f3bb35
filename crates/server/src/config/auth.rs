//! Authentication, as the configuration has it.

use secrecy::SecretString;
use serde::Deserialize;

/// Who is let in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AuthConfig {
    /// Which credentials are asked for.
    pub mode: AuthMode,
    /// Whether everybody may list and search what everybody said, where nobody is asked who they are.
    pub open_lists: bool,
    /// Address of a Supabase project.
    pub supabase_url: Option<String>,
    /// Where keys are published; see [`AuthConfig::keys_url`].
    pub jwks_url: Option<String>,
    /// The secret of HS256.
    pub hs256_secret: Option<SecretString>,
    /// What `iss` must be; see [`AuthConfig::expected_issuer`].
    pub issuer: Option<String>,
    /// What `aud` must be or hold.
    pub audience: String,
    /// What `role` must be, or `any`.
    pub role: String,
    /// What `sub` may be.
    pub subject: SubjectRule,
}

/// Which credentials are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// None: everybody is let in.
    None,
    /// The JWT of a user, or the token of a service.
    Jwt,
    /// The token of a service.
    Token,
}

/// What the name of a user may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectRule {
    /// A UUID, in small letters and with hyphens.
    Uuid,
    /// Any text of 1 to 256 characters.
    Any,
}

/// The token of a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TokenConfig {
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// What it may do.
    pub scope: TokenScope,
}

/// What a service may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// Read everybody's sessions.
    Read,
    /// Act in the name of any user, too.
    Act,
}

impl AuthConfig {
    /// Where keys are published, if anywhere.
    #[must_use]
    pub fn keys_url(&self) -> Option<String> {
        let of_supabase = || Some(format!("{}/.well-known/jwks.json", self.supabase_auth()?));
        self.jwks_url.clone().or_else(of_supabase)
    }

    /// What `iss` must be; set wherever tokens of users are believed.
    #[must_use]
    pub fn expected_issuer(&self) -> Option<String> {
        self.issuer.clone().or_else(|| self.supabase_auth())
    }

    /// Where the authentication of the Supabase project is, which is its issuer too.
    fn supabase_auth(&self) -> Option<String> {
        let url = self.supabase_url.as_deref()?;
        Some(format!("{}/auth/v1", url.trim_end_matches('/')))
    }
}
