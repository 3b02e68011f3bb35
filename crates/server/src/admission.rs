//! Who is let in: every connection has a place among all of them, and there are only so many.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::ConnectionMeasures;

/// So many connections beyond the limit are told that they are; the others are dropped.
const SURPLUS_CONNECTIONS: usize = 64;

/// Where a connection comes from: the other end of it, which may be a proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A connection's place among all of them, held until the connection ends: across an upgrade, too.
#[derive(Debug)]
pub(crate) struct Admission {
    is_surplus: bool,
    _place: OwnedSemaphorePermit,
}

impl Admission {
    /// Whether the connection is one too many and is only there to be told so.
    pub(crate) fn is_surplus(&self) -> bool {
        self.is_surplus
    }
}

/// How many connections there may be.
#[derive(Debug)]
pub(crate) struct Places {
    regular: Arc<Semaphore>,
    surplus: Arc<Semaphore>,
    measures: Arc<ConnectionMeasures>,
}

impl Places {
    pub(crate) fn new(max_connections: usize, measures: Arc<ConnectionMeasures>) -> Self {
        Self {
            regular: Arc::new(Semaphore::new(max_connections)),
            surplus: Arc::new(Semaphore::new(SURPLUS_CONNECTIONS)),
            measures,
        }
    }

    /// A place, or none if even those are taken in which the lack of places is told.
    pub(crate) fn take(&self) -> Option<Admission> {
        let regular = Arc::clone(&self.regular).try_acquire_owned().ok();
        let is_surplus = regular.is_none();
        let place = regular.or_else(|| Arc::clone(&self.surplus).try_acquire_owned().ok());
        if is_surplus {
            self.measures.refused(place.is_some());
        }
        Some(Admission {
            is_surplus,
            _place: place?,
        })
    }
}
