//! Finds out who asks.

use std::sync::Arc;

use patter_protocol::{SessionId, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tracing::debug;

use super::bearer::{Credential, Shown};
use super::error::AuthError;
use super::revocations::Revocations;
use super::services::Services;
use super::tickets::Tickets;
use super::users::Users;
use super::validity::Validity;
use super::{Caller, Origin, Scope, Subject};
use crate::config::{AuthMode, Config};
use crate::error::ServerError;
use crate::metrics::HttpMeasures;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Authenticator {
    mode: AuthMode,
    services: Services,
    users: Option<Users>,
    tickets: Tickets,
    revocations: Revocations,
    measures: Arc<HttpMeasures>,
}

impl Authenticator {
    /// As it is configured.
    ///
    /// # Errors
    ///
    /// [`ServerError::Keys`].
    pub(crate) fn new(
        config: &Config,
        measures: Arc<HttpMeasures>,
    ) -> Result<Arc<Self>, ServerError> {
        let users = match config.auth.mode {
            AuthMode::Jwt => Users::new(&config.auth)?,
            AuthMode::None | AuthMode::Token => None,
        };
        Ok(Arc::new(Self {
            mode: config.auth.mode,
            services: Services::new(&config.tokens),
            users,
            tickets: Tickets::default(),
            revocations: Revocations::default(),
            measures,
        }))
    }

    /// Whether it is asked who they are.
    pub(crate) fn is_on(&self) -> bool {
        self.mode != AuthMode::None
    }

    /// The caller that a request's credential names; `origin` is where it comes from.
    ///
    /// # Errors
    ///
    /// Where it names nobody, or somebody who is no user.
    pub(crate) async fn authenticate(
        &self,
        shown: Shown<'_>,
        origin: Origin,
    ) -> Result<Caller, AuthError> {
        if !self.is_on() {
            return Ok(Caller::anyone(origin));
        }
        self.counted(self.believed(shown, origin).await)
    }

    async fn believed(&self, shown: Shown<'_>, origin: Origin) -> Result<Caller, AuthError> {
        let caller = match shown.credential()?.ok_or(AuthError::Missing)? {
            Credential::Bearer(token) => self.bearer(&token, origin).await?,
            Credential::Ticket(ticket, session_id) => {
                let caller = self.tickets.redeem(ticket, session_id);
                let caller = caller.ok_or(AuthError::Refused)?;
                Caller { origin, ..caller }
            }
        };
        self.not_revoked(caller)
    }

    /// The same caller by another token.
    ///
    /// # Errors
    ///
    /// Where the token names nobody, or somebody else.
    pub(crate) async fn refresh(
        &self,
        caller: &Caller,
        token: &SecretString,
    ) -> Result<Caller, AuthError> {
        if !self.is_on() {
            return Ok(caller.clone());
        }
        let renewed = self.bearer(token, caller.origin).await;
        let renewed = renewed.and_then(|renewed| {
            if renewed.subject == caller.subject {
                self.not_revoked(renewed)
            } else {
                Err(AuthError::Refused)
            }
        });
        self.counted(renewed)
    }

    /// A ticket with which the caller may open the session once. A service that acts in the name of users
    /// may have one for a user, whose browser it hands it to; `None` where the system has no randomness.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotYours`] for another user than the caller, where it is none of those.
    pub(crate) fn ticket(
        &self,
        caller: &Caller,
        session_id: SessionId,
        user_id: Option<String>,
    ) -> Result<Option<String>, AuthError> {
        let holder = match (&caller.subject, user_id) {
            (_, None) => caller.clone(),
            (
                Subject::Service {
                    scope: Scope::Act, ..
                },
                Some(user_id),
            ) => Caller {
                subject: Subject::User(user_id.into()),
                issued_at: Some(Timestamp::now()),
                ..caller.clone()
            },
            (_, Some(user_id)) if caller.user_id() == Some(&user_id) => caller.clone(),
            (_, Some(_)) => return self.counted(Err(AuthError::NotYours)),
        };
        Ok(self.tickets.issue(holder, session_id))
    }

    /// How long the caller is believed to be who they are.
    pub(crate) fn validity(self: &Arc<Self>, caller: &Caller) -> Validity {
        Validity::new(Arc::clone(self), caller.clone())
    }

    /// No token of the user that was issued until now is believed any more, and what they have open ends.
    pub(crate) fn revoke(&self, user_id: &str) {
        self.revocations.revoke(user_id);
    }

    /// Forgets the provider's keys, and fetches them anew when the next token comes.
    pub(crate) fn flush_keys(&self) {
        if let Some(users) = &self.users {
            users.flush_keys();
        }
    }

    pub(super) fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    async fn bearer(&self, token: &SecretString, origin: Origin) -> Result<Caller, AuthError> {
        let token = token.expose_secret();
        if Services::is_token(token) {
            let subject = self.services.find(token).ok_or(AuthError::Refused)?;
            return Ok(Caller {
                subject: subject.clone(),
                ..Caller::anyone(origin)
            });
        }
        let users = self.users.as_ref().ok_or(AuthError::Refused)?;
        let user = users.user(token).await?;
        Ok(Caller {
            subject: Subject::User(user.user_id),
            issued_at: user.issued_at,
            expires_at: Some(user.expires_at),
            origin,
        })
    }

    fn counted<T>(&self, believed: Result<T, AuthError>) -> Result<T, AuthError> {
        believed.inspect_err(|error| self.measures.credential_refused(*error))
    }

    fn not_revoked(&self, caller: Caller) -> Result<Caller, AuthError> {
        if self.revocations.cover(&caller) {
            debug!("a token was shown that is revoked");
            return Err(AuthError::Refused);
        }
        Ok(caller)
    }
}
