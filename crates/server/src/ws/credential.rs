//! Who is at the other end of a connection, and for how long that is believed.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use patter_protocol::{BearerToken, CloseCode, ErrorCode, ErrorEvent, JsonObject};
use secrecy::SecretString;

use crate::auth::{AuthError, Authenticator, Caller, Validity};

/// See the [module](self).
pub(crate) struct Credential {
    authenticator: Arc<Authenticator>,
    caller: Caller,
    validity: Validity,
    /// What is found out about another one: keys may have to be fetched for that, and the conversation does not
    /// wait.
    renewing: Option<BoxFuture<'static, Result<Caller, AuthError>>>,
}

/// What became of a credential.
#[derive(Debug)]
pub(crate) enum News {
    /// It is none any more: to be closed with this code.
    Ended(CloseCode),
    /// Another one stands in its place.
    Renewed,
    /// The other one was none; this is to be told. The old one is as good as it was.
    Refused(ErrorEvent),
}

impl Credential {
    /// What a connection was opened with.
    pub(crate) fn new(authenticator: &Arc<Authenticator>, caller: &Caller) -> Self {
        Self {
            authenticator: Arc::clone(authenticator),
            caller: caller.clone(),
            validity: authenticator.validity(caller),
            renewing: None,
        }
    }

    /// Waits for news. While it is found out about another credential, which takes some seconds at most, the old
    /// one does not end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub(crate) async fn news(&mut self) -> News {
        let Some(renewing) = &mut self.renewing else {
            return News::Ended(self.validity.ended().await);
        };
        let renewed = renewing.await;
        self.renewing = None;
        match renewed {
            Ok(caller) => {
                self.validity = self.authenticator.validity(&caller);
                self.caller = caller;
                News::Renewed
            }
            Err(error) => News::Refused(refused(error)),
        }
    }

    /// Another credential of the same caller is to stand in the place of this one; what comes of it is
    /// [news](Self::news).
    ///
    /// # Errors
    ///
    /// While it is still found out about one.
    pub(crate) fn refresh(&mut self, token: BearerToken) -> Result<(), ErrorEvent> {
        if self.renewing.is_some() {
            return Err(refused(AuthError::Unavailable));
        }
        let token = SecretString::from(token.expose());
        let authenticator = Arc::clone(&self.authenticator);
        let caller = self.caller.clone();
        let renewing = async move { authenticator.refresh(&caller, &token).await };
        self.renewing = Some(renewing.boxed());
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
