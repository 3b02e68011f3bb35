//! The context of a trace as it stands in HTTP headers: `traceparent` and `tracestate`, by
//! [W3C Trace Context](https://www.w3.org/TR/trace-context/). What is malformed counts as not there.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// The least that has to be passed on of it; more is nobody's, and would go to every provider.
const MAX_STATE_BYTES: usize = 512;

/// Makes a span that was not entered yet a child of the caller's, if these headers name one.
pub(crate) fn set_parent(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() {
        return;
    }
    let context = incoming(headers);
    if context.span().span_context().is_valid() {
        // Fails where no traces are made, which is no matter.
        let _not_traced = span.set_parent(context);
    }
}

fn incoming(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Given(headers))
}

/// The headers that name the current span; none where it is not traced.
pub(crate) fn outgoing() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let context = Span::current().context();
    TraceContextPropagator::new().inject_context(&context, &mut Made(&mut headers));
    headers
}

struct Given<'a>(&'a HeaderMap);

impl Extractor for Given<'_> {
    /// A header that comes twice is malformed.
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(key).iter();
        let value = values.next()?.to_str().ok()?;
        let is_fine = values.next().is_none();
        (is_fine && (key != TRACESTATE || value.len() <= MAX_STATE_BYTES)).then_some(value)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

struct Made<'a>(&'a mut HeaderMap);

impl Injector for Made<'_> {
    fn set(&mut self, key: &str, value: String) {
        // An empty `tracestate` says nothing.
        if value.is_empty() {
            return;
        }
        if let (Ok(name), Ok(value)) = (key.parse::<HeaderName>(), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn is_taken(headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::try_from(*value).unwrap());
        }
        incoming(&map).span().span_context().is_valid()
    }

    #[test]
    fn only_one_well_formed_parent_is_taken() {
        assert!(is_taken(&[(TRACEPARENT, PARENT)]));
        assert!(is_taken(&[(TRACEPARENT, PARENT), (TRACESTATE, "a=1")]));
        assert!(is_taken(&[(TRACEPARENT, PARENT), (TRACESTATE, ",,=,")]));
        for malformed in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert!(!is_taken(&[(TRACEPARENT, malformed)]), "{malformed}");
        }
        assert!(!is_taken(&[(TRACEPARENT, PARENT), (TRACEPARENT, PARENT)]));
    }

    #[test]
    fn nothing_is_passed_on_where_nothing_is_traced() {
        assert!(outgoing().is_empty());
    }
}
