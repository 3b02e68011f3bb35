//! Sends spans to the collector, many at a time. Whatever it does (be away, be slow, refuse, answer
//! nonsense without an end) costs the spans that it was sent, and nothing else: nothing is sent twice.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, redirect};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use url::{Host, Url};

use super::queue::Waiting;
use crate::config::secret_headers;

/// So many spans are sent at a time.
const MAX_BATCH: usize = 512;
/// The first span of a batch waits so long for others.
const GATHERING: Duration = Duration::from_secs(1);
/// The collector has so long for a batch.
const EXPORT_LIMIT: Duration = Duration::from_secs(10);
/// What was lost is told that often.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// Knows the collector.
#[derive(Debug)]
pub(super) struct Exporter {
    client: Client,
    url: String,
    resource: ResourceAttributesWithSchema,
}

impl Exporter {
    /// # Errors
    ///
    /// Where the system has no usable TLS.
    pub(super) fn new(
        endpoint: &str,
        headers: Option<&SecretString>,
        resource: &Resource,
    ) -> reqwest::Result<Self> {
        // The configuration has checked them.
        let headers = headers.and_then(|headers| secret_headers::parse(headers.expose_secret()));
        let mut headers: HeaderMap = headers.unwrap_or_default();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-protobuf"),
        );
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .default_headers(headers);
        if is_local(endpoint) {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build()?,
            url: format!("{}/v1/traces", endpoint.trim_end_matches('/')),
            resource: resource.into(),
        })
    }

    /// Sends a batch; why it was lost, if it was. What the collector answers is not read: a batch that
    /// it takes in part is nothing that could be mended.
    async fn send(&self, batch: Vec<SpanData>) -> Result<(), String> {
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let sending = self.client.post(&self.url).body(request.encode_to_vec());
        match timeout(EXPORT_LIMIT, sending.send()).await {
            Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
            Ok(Ok(answer)) => Err(format!("it answers {}", answer.status().as_u16())),
            Ok(Err(error)) if error.is_connect() => Err("it cannot be reached".to_owned()),
            Ok(Err(_)) => Err("the connection broke".to_owned()),
            Err(_elapsed) => Err("it does not answer in time".to_owned()),
        }
    }
}

/// Whether it is on this machine, to which no proxy that the environment names leads.
fn is_local(endpoint: &str) -> bool {
    match Url::parse(endpoint).ok().as_ref().and_then(Url::host) {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Sends what comes until `stop`, and then what is left.
pub(super) async fn run(exporter: Exporter, mut waiting: Waiting, stop: CancellationToken) {
    let mut losses = Losses::default();
    loop {
        let batch = gather(&mut waiting, &stop).await;
        if batch.is_empty() {
            break;
        }
        let count = batch.len();
        if let Err(why) = exporter.send(batch).await {
            losses.lost += count;
            losses.why = Some(why);
        }
        losses.dropped += waiting.take_dropped();
        if losses.is_due() {
            losses.report();
        }
    }
    losses.dropped += waiting.take_dropped();
    losses.report();
}

/// The next batch; empty at the end.
async fn gather(waiting: &mut Waiting, stop: &CancellationToken) -> Vec<SpanData> {
    let mut batch = Vec::new();
    let first = tokio::select! {
        biased;
        first = waiting.spans.recv() => first,
        () = stop.cancelled() => None,
    };
    batch.extend(first);
    if batch.is_empty() {
        return batch;
    }
    let gathered = sleep(GATHERING);
    tokio::pin!(gathered);
    while batch.len() < MAX_BATCH {
        tokio::select! {
            biased;
            next = waiting.spans.recv() => match next {
                Some(span) => batch.push(span),
                None => break,
            },
            () = stop.cancelled() => break,
            () = &mut gathered => break,
        }
    }
    batch
}

/// What was lost since it was told last.
#[derive(Debug, Default)]
struct Losses {
    /// Spans that the collector did not take.
    lost: usize,
    /// Spans for which there was no room.
    dropped: u64,
    why: Option<String>,
    told_at: Option<Instant>,
}

impl Losses {
    /// Whether it was not told just now.
    fn is_due(&self) -> bool {
        self.told_at
            .is_none_or(|at| at.elapsed() >= REPORT_INTERVAL)
    }

    fn report(&mut self) {
        if self.lost == 0 && self.dropped == 0 {
            return;
        }
        let error = self.why.take();
        let (lost, dropped) = (self.lost, self.dropped);
        warn!(
            error,
            lost, dropped, "the collector of traces does not take them all"
        );
        *self = Self {
            told_at: Some(Instant::now()),
            ..Self::default()
        };
    }
}
