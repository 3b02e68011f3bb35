//! Who is at the other end of a connection, and for how long that is believed.

use std::sync::Arc;

use patter_protocol::{CloseCode, ErrorCode, ErrorEvent, JsonObject};
use secrecy::SecretString;

use crate::auth::{AuthError, Authenticator, Caller, Validity};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Credential {
    authenticator: Arc<Authenticator>,
    caller: Caller,
    validity: Validity,
}

impl Credential {
    /// What a connection was opened with.
    pub(crate) fn new(authenticator: &Arc<Authenticator>, caller: &Caller) -> Self {
        Self {
            authenticator: Arc::clone(authenticator),
            caller: caller.clone(),
            validity: authenticator.validity(caller),
        }
    }

    /// With which code to close, as soon as the credential is none any more.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub(crate) async fn ended(&mut self) -> CloseCode {
        self.validity.ended().await
    }

    /// Takes another credential of the same caller in the place of this one.
    ///
    /// # Errors
    ///
    /// What to tell the client. The old one is as good as it was.
    pub(crate) async fn refresh(&mut self, token: String) -> Result<(), ErrorEvent> {
        let token = SecretString::from(token);
        let renewed = self.authenticator.refresh(&self.caller, &token).await;
        self.caller = renewed.map_err(refused)?;
        self.validity = self.authenticator.validity(&self.caller);
        Ok(())
    }
}

fn refused(error: AuthError) -> ErrorEvent {
    let is_temporary = error == AuthError::Unavailable;
    let mut details = JsonObject::new();
    details.insert("field".to_owned(), "token".into());
    ErrorEvent {
        code: if is_temporary {
            ErrorCode::Busy
        } else {
            ErrorCode::InvalidField
        },
        message: error.to_string(),
        retryable: is_temporary,
        message_id: None,
        response_id: None,
        details,
    }
}
