//! What is logged, in which form, and what never is.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something unexpected comes"
)]

use std::io;
use std::sync::{Arc, Mutex};

use patter_server::config::{Config, Sources};
use patter_server::telemetry;
use tracing::subscriber::with_default;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[derive(Clone, Copy)]
enum Stderr {
    Terminal,
    Pipe,
}

fn logged(format: &str, filter: &str, stderr: Stderr, log: impl FnOnce()) -> String {
    let sources = Sources::none()
        .set("log.format", format)
        .set("log.filter", filter);
    let config = Config::load(&sources).unwrap();
    let written = Written::default();
    let is_terminal = matches!(stderr, Stderr::Terminal);
    let (subscriber, _) = telemetry::subscriber(&config.log, written.clone(), is_terminal);
    with_default(subscriber, log);
    written.text()
}

fn hello() {
    tracing::info!(connections = 3, "hello");
}

#[test]
fn a_pipe_gets_one_json_object_a_line() {
    let text = logged("auto", "info", Stderr::Pipe, hello);
    let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(line["message"], "hello");
    assert_eq!(line["connections"], 3);
    assert_eq!(line["level"], "INFO");
}

#[test]
fn a_terminal_gets_text() {
    let text = logged("auto", "info", Stderr::Terminal, hello);
    assert!(text.contains("hello") && !text.starts_with('{'), "{text}");
}

#[test]
fn a_format_that_is_named_is_taken_whatever_stderr_is() {
    assert!(logged("json", "info", Stderr::Terminal, hello).starts_with('{'));
    let text = logged("text", "info", Stderr::Pipe, hello);
    assert!(
        text.contains("hello") && !text.contains('\u{1b}') && !text.starts_with('{'),
        "{text}"
    );
}

#[test]
fn the_filter_decides_what_is_logged() {
    let log = || {
        tracing::debug!(target: "patter_session::turn", "one");
        tracing::debug!(target: "patter_store", "two");
        tracing::warn!(target: "patter_store", "three");
    };
    let text = logged("json", "warn,patter_session=debug", Stderr::Pipe, log);
    assert!(
        text.contains("one") && !text.contains("two") && text.contains("three"),
        "{text}"
    );
}

#[test]
fn libraries_that_quote_messages_are_kept_at_info_whatever_the_filter() {
    let log = || {
        tracing::trace!(target: "tungstenite::protocol", "what a user said");
        tracing::debug!(target: "hyper::proto::h1", "what a user said");
        tracing::info!(target: "hyper::proto::h1", "harmless");
        tracing::trace!(target: "patter_server::ws", "ours");
    };
    let text = logged("json", "trace,tungstenite=trace", Stderr::Pipe, log);
    assert!(!text.contains("what a user said"), "{text}");
    assert!(text.contains("harmless") && text.contains("ours"), "{text}");
}

#[test]
fn sql_is_in_no_line() {
    let log = || {
        tracing::warn!(target: "sqlx::query", "select what a user said");
        tracing::warn!(target: "sqlx::pool", "harmless");
    };
    let text = logged("json", "trace", Stderr::Pipe, log);
    assert!(
        text.contains("harmless") && !text.contains("select"),
        "{text}"
    );
}

#[test]
fn keys_and_passwords_are_masked_in_every_line_of_anybody() {
    let secrets = [
        "sk-proj-CANARYcanary0123456789",
        "AIzaCANARYcanary0123456789-abcdefghijk",
        "eyJCANARYcan.eyJzdWIiOiIxIn0.CANARY-sig_nature",
        "sb_secret_CANARY0123456789",
        "postgres://user:CANARY@CANARY/pass@host/db",
    ];
    for format in ["text", "json"] {
        for stderr in [Stderr::Terminal, Stderr::Pipe] {
            for secret in secrets {
                let log = || {
                    let span = tracing::info_span!("request", url = secret);
                    let _in = span.enter();
                    tracing::info!(target: "a_library", error = secret, debug = ?secret, "says {secret}");
                };
                let text = logged(format, "info", stderr, log);
                assert!(!text.contains("CANARY"), "{text}");
                // JSON has the span twice.
                assert!(text.matches("***").count() >= 4, "{text}");
                if format == "json" {
                    let _is_one: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
                }
            }
        }
    }
}
