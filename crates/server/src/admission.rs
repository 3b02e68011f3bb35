//! Who is let in: every connection has a place among all of them, and there are only so many.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{CallerLimits, Place, TooMuch};
use crate::metrics::ConnectionMeasures;

/// So many connections beyond the limit are told that they are; the others are dropped.
const SURPLUS_CONNECTIONS: usize = 64;

/// Where a connection comes from: the other end of it, which may be a proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A connection's place among all of them, held until the connection ends: across an upgrade, too.
#[derive(Debug)]
pub(crate) struct Admission {
    refused: Option<Refused>,
    of_address: Option<Place>,
    _place: OwnedSemaphorePermit,
}

/// Why a connection is one too many.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refused {
    /// There are too many in all.
    Full,
    /// There are too many from its address.
    TooMuch(TooMuch),
}

impl Admission {
    /// Why the connection is only there to be told that it is one too many, if it is.
    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused
    }

    /// Whether it is counted among those of an address.
    pub(crate) fn is_counted(&self) -> bool {
        self.of_address.is_some()
    }
}

/// How many connections there may be.
#[derive(Debug)]
pub(crate) struct Places {
    regular: Arc<Semaphore>,
    surplus: Arc<Semaphore>,
    callers: Option<Arc<CallerLimits>>,
    measures: Arc<ConnectionMeasures>,
}

impl Places {
    pub(crate) fn new(max_connections: usize, measures: Arc<ConnectionMeasures>) -> Self {
        Self {
            regular: Arc::new(Semaphore::new(max_connections)),
            surplus: Arc::new(Semaphore::new(SURPLUS_CONNECTIONS)),
            callers: None,
            measures,
        }
    }

    /// No address has more of them than one may.
    pub(crate) fn limited_by(mut self, callers: Arc<CallerLimits>) -> Self {
        self.callers = Some(callers);
        self
    }

    /// A place, or none if even those are taken in which the lack of places is told.
    pub(crate) fn take(&self, Peer(peer): Peer) -> Option<Admission> {
        let of_address = match &self.callers {
            Some(callers) => callers.connection(peer.ip()).map_err(Refused::TooMuch),
            None => Ok(None),
        };
        let found = of_address.and_then(|of_address| {
            let regular = Arc::clone(&self.regular).try_acquire_owned();
            Ok((of_address, regular.map_err(|_full| Refused::Full)?))
        });
        match found {
            Ok((of_address, place)) => Some(Admission {
                refused: None,
                of_address,
                _place: place,
            }),
            Err(refused) => self.surplus(refused),
        }
    }

    fn surplus(&self, refused: Refused) -> Option<Admission> {
        let place = Arc::clone(&self.surplus).try_acquire_owned().ok();
        self.measures.refused(place.is_some());
        Some(Admission {
            refused: Some(refused),
            of_address: None,
            _place: place?,
        })
    }
}
