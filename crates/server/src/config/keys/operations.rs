//! The keys of what those who run the server see of it and do with it: logs, traces, the admin port.

use super::super::key::{Key, Section};
use super::super::kind::Kind;
use super::integer;

pub(super) const LOGS: Section = Section {
    title: "Logs",
    keys: &[
        Key::new(
            "log.format",
            Kind::Choice(&["auto", "text", "json"]),
            "How logs are written to stderr; `auto` is text for a terminal, else JSON.",
        )
        .default("auto"),
        Key::new(
            "log.filter",
            Kind::LogFilter,
            "What is logged, as in `RUST_LOG`. Read again on SIGHUP.",
        )
        .default("info")
        .aliases(&["RUST_LOG"]),
    ],
};

pub(super) const TRACES: Section = Section {
    title: "Traces",
    keys: &[
        Key::new(
            "telemetry.otlp_endpoint",
            Kind::HttpUrl,
            "Where traces are sent, by OTLP over HTTP: the base URL of a collector. Without it there \
             are none.",
        )
        .aliases(&["OTEL_EXPORTER_OTLP_ENDPOINT"])
        .example("http://127.0.0.1:4318"),
        Key::new(
            "telemetry.otlp_headers",
            Kind::SecretHeaders,
            "Headers for the collector, such as `authorization=Bearer%20KEY`, separated by commas.",
        )
        .aliases(&["OTEL_EXPORTER_OTLP_HEADERS"])
        .example("authorization=Bearer%20..."),
        Key::new(
            "telemetry.service_name",
            Kind::Text,
            "What the collector is told that this is.",
        )
        .default("patter")
        .aliases(&["OTEL_SERVICE_NAME"]),
        Key::new(
            "telemetry.sample_ratio",
            Kind::Decimal { min: 0.0, max: 1.0 },
            "Of the traces that begin here, this part is recorded; of others, what whoever began them \
             says.",
        )
        .default("1"),
        Key::new(
            "telemetry.record_content",
            Kind::Flag,
            "Whether traces hold what users, models and tools say. Whoever can read the traces reads \
             the conversations then.",
        )
        .default("false"),
    ],
};

pub(super) const ADMIN: Section = Section {
    title: "The admin port",
    keys: &[
        Key::new(
            "admin.port",
            integer(0, 65_535),
            "Port for those who run the server: metrics, the log level, live sessions, draining. \
             Without it there is none; 0 takes any free one.",
        )
        .example("9464"),
        Key::new(
            "admin.host",
            Kind::Host,
            "Address or host name of the admin port. Nobody logs in there.",
        )
        .default("127.0.0.1"),
        Key::new(
            "admin.allow_remote",
            Kind::Flag,
            "Whether `admin.host` may be something else than this machine alone.",
        )
        .default("false"),
    ],
};
