//! Finds the addresses of a host, and lets only those through that are public. The client connects to
//! what is given here and asks nobody a second time, so that a name cannot mean one thing when it is
//! checked and another when it is used.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

type BoxError = Box<dyn Error + Send + Sync>;

/// The system's way to find addresses.
#[derive(Debug)]
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port of the URL takes the place of this one.
            let found = lookup_host((name.as_str(), 0)).await?;
            let found: Vec<_> = found.collect();
            Ok::<Addrs, BoxError>(Box::new(found.into_iter()))
        })
    }
}

/// Lets public addresses through. One that is not refuses the host: a name that has both kinds means
/// no good.
pub(super) struct PublicOnly {
    pub(super) inner: Arc<dyn Resolve>,
    pub(super) is_public: fn(IpAddr) -> bool,
}

/// A name that leads home.
#[derive(Debug)]
pub(super) struct LeadsHome(String);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (finding, is_public) = (self.inner.resolve(name), self.is_public);
        Box::pin(async move {
            let found: Vec<_> = finding.await?.collect();
            match found.iter().find(|address| !is_public(address.ip())) {
                Some(_) => Err(BoxError::from(LeadsHome(host))),
                None => Ok::<Addrs, BoxError>(Box::new(found.into_iter())),
            }
        })
    }
}

impl LeadsHome {
    /// The one among the causes of an error, if it is one of them.
    pub(super) fn among<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }
}

impl fmt::Display for LeadsHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` has an address that is not public", self.0)
    }
}

impl Error for LeadsHome {}
