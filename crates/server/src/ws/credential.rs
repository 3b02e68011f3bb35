//! Who is at the other end of a connection, and for how long that is believed.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use patter_protocol::{BearerToken, CloseCode, ErrorCode, ErrorEvent, JsonObject};
use secrecy::SecretString;
use tracing::Instrument;

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

    /// Waits for news.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub(crate) async fn news(&mut self) -> News {
        let renewing = async {
            match &mut self.renewing {
                Some(renewing) => renewing.await,
                None => pending().await,
            }
        };
        let renewed = tokio::select! {
            code = self.validity.ended() => return News::Ended(code),
            renewed = renewing => renewed,
        };
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
    /// [news](Self::news). Of several the last one counts.
    pub(crate) fn refresh(&mut self, token: BearerToken) {
        let token = SecretString::from(token.expose());
        let authenticator = Arc::clone(&self.authenticator);
        let caller = self.caller.clone();
        let renewing = async move { authenticator.refresh(&caller, &token).await };
        // What is told of it belongs to the connection, whoever polls it.
        self.renewing = Some(renewing.in_current_span().boxed());
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
