//! Who asks: every request, and every connection that comes of one, has a [`Caller`].

mod caller;

use std::net::IpAddr;

use http::HeaderMap;

pub(crate) use caller::{Caller, Scope, Subject};

use crate::http::Problem;

/// Finds out who asks.
#[derive(Debug, Default)]
pub(crate) struct Authenticator;

impl Authenticator {
    /// The caller that a request's credentials name; `address` is where it comes from.
    ///
    /// # Errors
    ///
    /// 401 where they name nobody, 403 where they name somebody who is no user.
    #[expect(clippy::unused_async, reason = "keys may have to be fetched")]
    #[expect(clippy::unused_self, reason = "it has nothing yet to compare with")]
    pub(crate) async fn authenticate(
        &self,
        _headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<Caller, Problem> {
        Ok(Caller::anyone(address))
    }
}
