//! What a JWT says once its signature is known to be good, and who that makes its holder.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use patter_protocol::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::error::AuthError;
use crate::config::{AuthConfig, SubjectRule};

/// Clocks may differ by so many seconds.
const LEEWAY: u64 = 30;
/// Who makes tokens for longer has mistaken the unit.
const LONGEST_LIFE: u64 = 10 * 366 * 24 * 3600;
/// The roles of Supabase's keys that are valid tokens and no users.
const NO_USERS: [&str; 2] = ["anon", "service_role"];
/// Where it stands for the role that is asked for, no role is.
const ANY_ROLE: &str = "any";
/// As many characters as the name of a user may have.
const MAX_SUBJECT_CHARS: usize = 256;

/// The claims that count. Times are whole seconds since 1970 and nothing else: what one reader rounds, the
/// next one refuses.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    exp: u64,
    nbf: Option<u64>,
    iat: Option<u64>,
    iss: Option<String>,
    aud: Option<Audience>,
    role: Option<String>,
    sub: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// A user, as a token names it.
#[derive(Debug)]
pub(super) struct User {
    pub(super) user_id: Arc<str>,
    pub(super) issued_at: Option<Timestamp>,
    pub(super) expires_at: Timestamp,
}

/// What claims must say.
#[derive(Debug)]
pub(super) struct Rules {
    issuer: String,
    audience: String,
    role: Option<String>,
    subject: SubjectRule,
}

impl Rules {
    /// `None` where no issuer is configured, by which any would be believed.
    pub(super) fn new(config: &AuthConfig) -> Option<Self> {
        Some(Self {
            issuer: config.expected_issuer()?,
            audience: config.audience.clone(),
            role: Some(config.role.clone()).filter(|role| role != ANY_ROLE),
            subject: config.subject,
        })
    }

    /// Who the claims name at this time.
    pub(super) fn user(&self, claims: Claims, now: Timestamp) -> Result<User, AuthError> {
        let now = u64::try_from(now.as_datetime().timestamp()).unwrap_or_default();
        let is_ahead = |time: Option<u64>| time.is_some_and(|time| time > now + LEEWAY);
        if claims.exp.saturating_add(LEEWAY) <= now {
            return Err(AuthError::Expired);
        }
        if claims.exp > now + LONGEST_LIFE || is_ahead(claims.nbf) || is_ahead(claims.iat) {
            return Err(AuthError::Refused);
        }
        // Before the rest: these keys have neither audience nor subject, and whoever tries one shall know.
        let role = claims.role.as_deref();
        if role.is_some_and(|role| NO_USERS.contains(&role)) {
            return Err(AuthError::NoUser);
        }
        let is_meant = claims.iss.as_deref() == Some(&self.issuer)
            && claims.aud.is_some_and(|it| it.holds(&self.audience))
            && (self.role.is_none() || self.role.as_deref() == role);
        let subject = claims.sub.filter(|subject| self.may_be_named(subject));
        let (true, Some(subject)) = (is_meant, subject) else {
            return Err(AuthError::Refused);
        };
        Ok(User {
            user_id: subject.into(),
            issued_at: claims.iat.and_then(time),
            expires_at: time(claims.exp + LEEWAY).ok_or(AuthError::Refused)?,
        })
    }

    fn may_be_named(&self, subject: &str) -> bool {
        match self.subject {
            // Written in another way it would be another user.
            SubjectRule::Uuid => {
                Uuid::try_parse(subject).is_ok_and(|uuid| uuid.hyphenated().to_string() == subject)
            }
            SubjectRule::Any => {
                (1..=MAX_SUBJECT_CHARS).contains(&subject.chars().count())
                    && !subject.contains(char::is_control)
            }
        }
    }
}

impl Audience {
    fn holds(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

fn time(seconds: u64) -> Option<Timestamp> {
    let seconds = i64::try_from(seconds).ok()?;
    DateTime::<Utc>::from_timestamp(seconds, 0).map(Timestamp::from)
}
