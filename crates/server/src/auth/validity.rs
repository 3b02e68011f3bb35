//! How long it is believed who is at the other end of something that stays open.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use patter_protocol::{CloseCode, Timestamp};
use tokio::time::sleep;

use super::authenticator::Authenticator;
use super::{Caller, Subject};

/// The wall clock is looked at so often: it may be set, and a machine may sleep.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Ends when a credential does.
pub(crate) struct Validity {
    /// Made once, so that what is polled with every token registers nothing anew.
    ended: BoxFuture<'static, CloseCode>,
}

impl Validity {
    pub(super) fn new(authenticator: Arc<Authenticator>, caller: Caller) -> Self {
        let ended = match &caller.subject {
            // Nothing that could run out.
            Subject::Anyone => pending().boxed(),
            Subject::User(_) | Subject::Service { .. } => ended(authenticator, caller).boxed(),
        };
        Self { ended }
    }

    /// With which code to close, as soon as the credential has expired or was revoked. Once it has said so
    /// it must not be asked again.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub(crate) async fn ended(&mut self) -> CloseCode {
        self.ended.as_mut().await
    }
}

async fn ended(authenticator: Arc<Authenticator>, caller: Caller) -> CloseCode {
    let mut revoked = authenticator.revocations().watch();
    loop {
        if authenticator.revocations().cover(&caller) {
            return CloseCode::Forbidden;
        }
        let left = match caller.expires_at {
            None => LONGEST_SLEEP,
            Some(expires_at) => Duration::from_millis(expires_at.millis_since(Timestamp::now())),
        };
        if left.is_zero() {
            return CloseCode::Unauthorized;
        }
        tokio::select! {
            // The sender lives as long as the authenticator.
            _changed = revoked.changed() => {}
            () = sleep(left.min(LONGEST_SLEEP)) => {}
        }
    }
}

impl fmt::Debug for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validity").finish_non_exhaustive()
    }
}
