//! The keys that a provider publishes, fetched and kept. They are fetched when they are ten minutes old or a
//! token names one that is not among them, by one request at a time, and never twice within half a minute,
//! whatever tokens are shown. While the provider is away, those of the last day are good.

mod fetch;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use jsonwebtoken::jwk::Jwk;
use tokio::time::Instant;
use tracing::{info, warn};

use super::error::AuthError;
use super::key::Key;
use crate::error::ServerError;
use fetch::Fetcher;

/// A key that the provider revokes is believed for no longer.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// But while the provider cannot be asked.
const USABLE: Duration = Duration::from_secs(24 * 3600);
/// Between two requests to the provider.
const PAUSE: Duration = Duration::from_secs(30);

/// So many keys are used of a set.
const MAX_KEYS: usize = 64;

/// Keys by their ids.
#[derive(Debug, Default)]
pub(super) struct Keys {
    by_id: BTreeMap<Option<String>, Key>,
}

impl Keys {
    /// Those of a set that can be used.
    fn new(jwks: impl IntoIterator<Item = Jwk>) -> Self {
        let keys = jwks
            .into_iter()
            .filter_map(|jwk| Some((jwk.common.key_id.clone(), Key::published(&jwk)?)));
        Self {
            by_id: keys.take(MAX_KEYS).collect(),
        }
    }

    /// The key of this id. A token without one can only mean the only key that there is.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match kid {
            Some(kid) => self.by_id.get(&Some(kid.to_owned())),
            None if self.by_id.len() == 1 => self.by_id.values().next(),
            None => None,
        }
    }
}

type Fetching = Shared<BoxFuture<'static, Result<Arc<Keys>, Arc<str>>>>;

/// See the [module](self).
pub(super) struct Jwks {
    fetcher: Fetcher,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was fetched last, and when.
    kept: Option<(Arc<Keys>, Instant)>,
    asked_at: Option<Instant>,
    /// All who need it wait for the same one, and each drives it on: it needs no task of its own.
    fetching: Option<Fetching>,
}

enum Next {
    Use(Arc<Keys>),
    Wait(Fetching),
    Nothing,
}

impl Jwks {
    pub(super) fn new(url: String) -> Result<Self, ServerError> {
        Ok(Self {
            fetcher: Fetcher::new(url).map_err(ServerError::Keys)?,
            state: Mutex::default(),
        })
    }

    /// Keys that are as new as they have to be to look for this one among them.
    pub(super) async fn keys_for(&self, kid: Option<&str>) -> Result<Arc<Keys>, AuthError> {
        match self.next(kid) {
            Next::Use(keys) => Ok(keys),
            Next::Nothing => Err(AuthError::Unavailable),
            Next::Wait(fetching) => {
                let fetched = fetching.clone().await;
                self.settle(&fetching, fetched)
            }
        }
    }

    /// Forgets all, so that the next token has them fetched.
    pub(super) fn flush(&self) {
        *self.state() = State::default();
    }

    fn next(&self, kid: Option<&str>) -> Next {
        let mut state = self.state();
        let now = Instant::now();
        let kept = state.usable(now);
        let is_known = |keys: &Keys| keys.find(kid).is_some();
        if let Some((keys, age)) = &kept
            && *age < FRESH
            && is_known(keys)
        {
            return Next::Use(Arc::clone(keys));
        }
        if let Some(fetching) = &state.fetching {
            return Next::Wait(fetching.clone());
        }
        if state.asked_at.is_some_and(|at| now - at < PAUSE) {
            return kept.map_or(Next::Nothing, |(keys, _)| Next::Use(keys));
        }
        state.asked_at = Some(now);
        let fetching = self.fetcher.fetch().boxed().shared();
        state.fetching = Some(fetching.clone());
        Next::Wait(fetching)
    }

    /// Takes over what was fetched, which the first one does who comes by, unless it was flushed meanwhile.
    fn settle(
        &self,
        fetching: &Fetching,
        fetched: Result<Arc<Keys>, Arc<str>>,
    ) -> Result<Arc<Keys>, AuthError> {
        let mut state = self.state();
        let is_first = state
            .fetching
            .as_ref()
            .is_some_and(|current| current.ptr_eq(fetching));
        let now = Instant::now();
        if is_first {
            state.fetching = None;
            match &fetched {
                Ok(keys) => {
                    info!(
                        keys = keys.by_id.len(),
                        "the keys of the provider were fetched"
                    );
                    state.kept = Some((Arc::clone(keys), now));
                }
                Err(error) => warn!(%error, "the keys of the provider cannot be fetched"),
            }
        }
        let kept = state.usable(now).map(|(keys, _)| keys);
        fetched.ok().or(kept).ok_or(AuthError::Unavailable)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and what is in it is whole at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What may still be used, and its age.
    fn usable(&self, now: Instant) -> Option<(Arc<Keys>, Duration)> {
        let (keys, at) = self.kept.as_ref()?;
        let age = now - *at;
        (age < USABLE).then(|| (Arc::clone(keys), age))
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks").finish_non_exhaustive()
    }
}
