//! Counts and times every request, by its route. A path that is no route is not a label: anybody can
//! ask for any.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio::time::Instant;
use tower::{Layer, Service};

use super::routes::Routes;
use crate::metrics::HttpMeasures;

/// What a request that no route is found for is counted as.
const OTHER: &str = "other";

/// Puts a [`Measured`] around a service.
#[derive(Debug, Clone)]
pub(super) struct MeasuredLayer {
    routes: Arc<Routes>,
    measures: Arc<HttpMeasures>,
}

/// See the [module](self).
#[derive(Debug, Clone)]
pub(super) struct Measured<S> {
    inner: S,
    layer: MeasuredLayer,
}

impl MeasuredLayer {
    pub(super) fn new(routes: Arc<Routes>, measures: Arc<HttpMeasures>) -> Self {
        Self { routes, measures }
    }

    fn route(&self, path: &str) -> &'static str {
        self.routes
            .at(path)
            .map_or(OTHER, |found| found.value.template)
    }
}

impl<S> Layer<S> for MeasuredLayer {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        let layer = self.clone();
        Measured { inner, layer }
    }
}

impl<S, A, B> Service<Request<A>> for Measured<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let route = self.layer.route(request.uri().path());
        let measures = Arc::clone(&self.layer.measures);
        let begun = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            measures.answered(route, response.status(), begun.elapsed());
            Ok(response)
        })
    }
}
