//! `GET /metrics`: what this process counts, in Prometheus' text format 0.0.4.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use metrics::{
    Label, SharedString, counter, describe_counter, describe_gauge, gauge, with_local_recorder,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use patter_llm::{Circuit, CircuitState};
use patter_tools::ToolRegistry;

use super::{App, Body, body};

const CONTENT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

const CIRCUIT_STATE: &str = "patter_circuit_state";
const CIRCUIT_OPENED: &str = "patter_circuit_opened_total";
const WINDOW_REQUESTS: &str = "patter_circuit_window_requests";
const WINDOW_FAILURES: &str = "patter_circuit_window_failures";
const MODEL_REQUESTS: &str = "patter_model_requests_total";
const MODEL_REJECTED: &str = "patter_model_rejected_total";
const MODEL_FAILURES: &str = "patter_model_failures_total";
const TOOL_CALLS: &str = "patter_tool_calls_total";
const TOOL_FAILURES: &str = "patter_tool_failures_total";
const TOOL_MILLIS: &str = "patter_tool_milliseconds_total";

/// What the process counts, in Prometheus' text format.
#[utoipa::path(
    get,
    operation_id = "getMetrics",
    path = "/metrics",
    tag = "server",
    responses((status = 200, description = "The metrics", content_type = "text/plain", body = String))
)]
pub(crate) fn report(app: &App) -> Response<Body> {
    let mut response = Response::new(body::whole(text(&app.circuits, app.sessions.tools())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, CONTENT);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A recorder of its own for each answer: circuits and tools count for themselves, and are only asked here.
fn text(circuits: &[Circuit], tools: &ToolRegistry) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || {
        describe();
        circuits.iter().for_each(record_circuit);
        record_tools(tools);
    });
    render(&recorder)
}

fn render(recorder: &PrometheusRecorder) -> String {
    recorder.handle().render()
}

fn describe() {
    describe_gauge!(
        CIRCUIT_STATE,
        "1 for the state that the circuit of a model is in, 0 for the others."
    );
    describe_counter!(CIRCUIT_OPENED, "How often the circuit of a model opened.");
    describe_gauge!(
        WINDOW_REQUESTS,
        "Requests that ended within the window by which the circuit decides."
    );
    describe_gauge!(WINDOW_FAILURES, "Those of them that failed.");
    describe_counter!(MODEL_REQUESTS, "Requests that were sent to a model.");
    describe_counter!(
        MODEL_REJECTED,
        "Requests that were not sent because the circuit of the model was open."
    );
    describe_counter!(
        MODEL_FAILURES,
        "Requests that a model failed, by the kind of failure."
    );
    describe_counter!(TOOL_CALLS, "Calls of a tool that ended, in whichever way.");
    describe_counter!(
        TOOL_FAILURES,
        "Those of them that failed, by the code of the failure."
    );
    describe_counter!(TOOL_MILLIS, "How long all calls of a tool took together.");
}

fn record_tools(tools: &ToolRegistry) {
    for (name, counts) in tools.counts() {
        let tool = Label::new("tool", SharedString::from_owned(name));
        counter!(TOOL_CALLS, vec![tool.clone()]).absolute(counts.calls);
        counter!(TOOL_MILLIS, vec![tool.clone()]).absolute(millis(counts.time));
        for (kind, count) in counts.failures {
            let kind = Label::from_static_parts("kind", kind.as_str());
            counter!(TOOL_FAILURES, vec![tool.clone(), kind]).absolute(count);
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn record_circuit(circuit: &Circuit) {
    let labels = |more: Option<Label>| {
        let name = |key: &'static str, value: &str| {
            Label::new(key, SharedString::from_owned(value.to_owned()))
        };
        let whose = [
            name("provider", circuit.provider()),
            name("model", circuit.model()),
        ];
        whose.into_iter().chain(more).collect::<Vec<_>>()
    };
    let status = circuit.status();
    for (state, is_in_it) in [
        ("closed", status.state == CircuitState::Closed),
        ("open", matches!(status.state, CircuitState::Open { .. })),
        ("half_open", status.state == CircuitState::HalfOpen),
    ] {
        let labels = labels(Some(Label::from_static_parts("state", state)));
        gauge!(CIRCUIT_STATE, labels).set(if is_in_it { 1.0 } else { 0.0 });
    }
    gauge!(WINDOW_REQUESTS, labels(None)).set(status.requests);
    gauge!(WINDOW_FAILURES, labels(None)).set(status.failures);
    counter!(CIRCUIT_OPENED, labels(None)).absolute(status.totals.opened);
    counter!(MODEL_REQUESTS, labels(None)).absolute(status.totals.requests);
    counter!(MODEL_REJECTED, labels(None)).absolute(status.totals.rejected);
    for (kind, count) in &status.totals.failures {
        let labels = labels(Some(Label::from_static_parts("kind", kind)));
        counter!(MODEL_FAILURES, labels).absolute(*count);
    }
}
