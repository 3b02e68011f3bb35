//! What this process counts: one registry for each server, into which every crate puts what it counts itself.
//!
//! A server has a registry of its own, and nothing is global: two servers in one process, as in tests and
//! where patter is embedded, do not mix their figures. Reading it asks nobody: no database, no model.

mod asked;
mod connections;
mod http;
mod limits;
pub mod reference;
mod table;

use std::sync::Arc;

use patter_llm::Circuit;
use patter_metrics::{Error, Registry};
use patter_session::SessionManager;
use patter_store::SessionStore;

pub(crate) use connections::{Closed, ConnectionMeasures};
pub(crate) use http::HttpMeasures;
pub(crate) use limits::LimitMeasures;

/// The figures of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) connections: Arc<ConnectionMeasures>,
    pub(crate) http: Arc<HttpMeasures>,
    pub(crate) limits: Arc<LimitMeasures>,
}

impl Metrics {
    /// Gathers what these count.
    ///
    /// # Errors
    ///
    /// Where two crates count under one name: a defect.
    pub(crate) fn new(
        sessions: &SessionManager,
        store: Arc<dyn SessionStore>,
        circuits: &[Circuit],
    ) -> Result<Self, Error> {
        let registry = Registry::new();
        let connections = Arc::<ConnectionMeasures>::default();
        let http = Arc::<HttpMeasures>::default();
        let limits = Arc::<LimitMeasures>::default();
        sessions.register_metrics(&registry)?;
        connections.register(&registry)?;
        http.register(&registry)?;
        limits.register(&registry)?;
        asked::process(&registry)?;
        asked::circuits(&registry, circuits.to_vec())?;
        asked::tools(&registry, sessions.tools().clone())?;
        asked::pool(&registry, store)?;
        Ok(Self {
            registry,
            connections,
            http,
            limits,
        })
    }

    /// All of it, in Prometheus' text format.
    pub(crate) fn text(&self) -> String {
        patter_metrics::text(&self.registry)
    }
}
