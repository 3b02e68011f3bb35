//! What is counted of HTTP requests.

use std::time::Duration;

use http::StatusCode;
use patter_metrics::{Error, HistogramVec, IntCounterVec, Registry};

use super::table;
use crate::auth::AuthError;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct HttpMeasures {
    requests: IntCounterVec,
    time: HistogramVec,
    credentials_refused: IntCounterVec,
}

impl Default for HttpMeasures {
    fn default() -> Self {
        let measures = Self {
            requests: table::HTTP_REQUESTS.counts(),
            time: table::HTTP_TIME.measures(),
            credentials_refused: table::CREDENTIALS_REFUSED.counts(),
        };
        // A monitor misses the step from nothing to one.
        for error in AuthError::ALL {
            let reason = [error.word()];
            measures.credentials_refused.with_label_values(&reason);
        }
        measures
    }
}

impl HttpMeasures {
    /// Counts a request that was answered. `route` is one of the paths that the server knows, with its
    /// parameters as names, or `other`.
    pub(crate) fn answered(&self, route: &str, status: StatusCode, took: Duration) {
        let class = match status.as_u16() {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        self.requests.with_label_values(&[route, class]).inc();
        let time = self.time.with_label_values(&[route]);
        time.observe(took.as_secs_f64());
    }

    /// Counts somebody who was not believed.
    pub(crate) fn credential_refused(&self, error: AuthError) {
        let reason = [error.word()];
        self.credentials_refused.with_label_values(&reason).inc();
    }

    pub(super) fn register(&self, registry: &Registry) -> Result<(), Error> {
        registry.register(Box::new(self.requests.clone()))?;
        registry.register(Box::new(self.time.clone()))?;
        registry.register(Box::new(self.credentials_refused.clone()))
    }
}
