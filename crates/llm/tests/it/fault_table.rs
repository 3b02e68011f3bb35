//! Everything that can go wrong with a provider, and what a caller is told of it: one row for each
//! fault, every row on every wire.

use std::time::Duration;

use patter_llm::{FinishReason, LlmError, TimeoutPhase, Timeouts};
use patter_testkit::model_server::{ModelServer, Reply};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

use crate::fault_table::rows::{
    CONNECTION, Ends, Happens, ODDITIES, REFUSALS, RUBBISH, Row, SILENCES,
};
use crate::fault_table::speech::{CHAT, GEMINI, RESPONSES, Speech};
use crate::support::{Outcome, ask_model};

mod rows;
mod speech;

/// A new wire is one more of these.
const WIRES: [Speech; 3] = [GEMINI, CHAT, RESPONSES];

/// The deadline that a row is about.
const SHORT: Duration = Duration::from_millis(150);
/// Every other deadline. What ends before it was not ended by it.
const LONG: Duration = Duration::from_secs(60);
const PATIENT: Timeouts = Timeouts {
    connect: LONG,
    headers: LONG,
    first_token: LONG,
    next_token: LONG,
    whole_answer: LONG,
};

const LONG_LINE: usize = 10 * 1024 * 1024;

#[tokio::test]
async fn a_provider_that_cannot_be_reached() {
    check(CONNECTION).await;
}

#[tokio::test]
async fn a_provider_that_refuses() {
    check(REFUSALS).await;
}

#[tokio::test]
async fn a_provider_that_is_silent() {
    check(SILENCES).await;
}

#[tokio::test]
async fn a_provider_that_sends_rubbish() {
    check(RUBBISH).await;
}

#[tokio::test]
async fn a_provider_with_habits_of_its_own() {
    check(ODDITIES).await;
}

async fn check(rows: &[Row]) {
    for wire in &WIRES {
        for row in rows {
            let begun = Instant::now();
            let outcome = happen(wire, row).await;
            let elapsed = begun.elapsed();
            let what = format!("{} of {:?} after {elapsed:?}", row.fault, wire.wire);
            assert!(elapsed < LONG, "{what}");
            check_row(row, &outcome, elapsed, &what);
        }
    }
}

async fn happen(wire: &Speech, row: &Row) -> Outcome {
    let script = match row.happens {
        Happens::Says(reply) => vec![reply(wire)],
        Happens::Refused | Happens::NoTls => Vec::new(),
    };
    let server = ModelServer::start(script).await;
    let settings = wire.wire.settings(&server).timeouts(timeouts(row.awaits));
    match row.happens {
        Happens::Says(_) => ask_model(&*wire.wire.model(settings)).await,
        Happens::Refused => {
            // Bound, so that nobody else gets the port, and not listening.
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let url = format!("http://{}", socket.local_addr().unwrap());
            ask_model(&*wire.wire.model(settings.base_url(url))).await
        }
        Happens::NoTls => {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("https://{}", listener.local_addr().unwrap());
            let model = wire.wire.model(settings.base_url(url));
            tokio::select! {
                outcome = ask_model(&*model) => outcome,
                never = speak_no_tls(listener) => match never {},
            }
        }
    }
}

async fn speak_no_tls(listener: TcpListener) -> std::convert::Infallible {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    }
}

fn timeouts(awaits: Option<TimeoutPhase>) -> Timeouts {
    let mut timeouts = PATIENT;
    match awaits {
        None => {}
        Some(TimeoutPhase::Headers) => timeouts.headers = SHORT,
        Some(TimeoutPhase::FirstToken) => timeouts.first_token = SHORT,
        Some(TimeoutPhase::NextToken) => timeouts.next_token = SHORT,
        Some(TimeoutPhase::WholeAnswer) => timeouts.whole_answer = SHORT,
    }
    timeouts
}

fn check_row(row: &Row, outcome: &Outcome, elapsed: Duration, what: &str) {
    assert_eq!(outcome.text, row.text, "{what}");
    let calls: Vec<_> = outcome
        .calls
        .iter()
        .map(|call| call.name.as_str())
        .collect();
    assert_eq!(calls, row.calls, "{what}");
    match (&row.ends, &outcome.error) {
        (Ends::With(reason), None) => assert_eq!(outcome.reason(), Some(*reason), "{what}"),
        (
            Ends::In {
                error,
                retryable,
                retry_after,
                says,
            },
            Some(found),
        ) => {
            let told = (variant(found), found.is_retryable(), found.retry_after());
            let told = (told.0.as_str(), told.1, told.2);
            assert_eq!(
                told,
                (*error, *retryable, *retry_after),
                "{what}: {found:?}"
            );
            assert!(found.to_string().contains(says), "{what}: {found}");
        }
        _ => panic!("{what}: {outcome:?}"),
    }
    if let Some(awaited) = row.awaits {
        assert!(elapsed >= SHORT, "{what}");
        match &outcome.error {
            Some(LlmError::Timeout { phase, limit, .. }) => {
                assert_eq!((*phase, *limit), (awaited, SHORT), "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
}

/// Which error it is.
fn variant(error: &LlmError) -> String {
    let words = format!("{error:?}");
    words.split(' ').next().unwrap().to_owned()
}

/// Answers that are cut at every byte: some text, and a call.
fn cut_answers(wire: &Speech) -> [Reply; 2] {
    [(wire.text)(&["Hel", "lo"]), (wire.call)("look_up")]
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_truncated_or_whole() {
    for wire in &WIRES {
        for reply in cut_answers(wire) {
            let server = ModelServer::start([]).await;
            let model = wire.wire.model(wire.wire.settings(&server));
            server.push(reply.clone());
            let whole = ask_model(&*model).await;
            for length in 0..reply.body_length() {
                server.push(reply.clone().shortened_to(length));
                let outcome = ask_model(&*model).await;
                let what = format!("{:?} cut after {length} bytes: {outcome:?}", wire.wire);
                match &outcome.error {
                    Some(LlmError::Truncated { .. }) => {
                        assert!(whole.text.starts_with(&outcome.text), "{what}");
                        assert!(outcome.calls.is_empty(), "{what}");
                    }
                    Some(_) => panic!("{what}"),
                    None => {
                        assert!(length > reply.place_of(wire.finish), "{what}");
                        assert_eq!(outcome.to_json(), whole.to_json(), "{what}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn an_answer_whose_connection_breaks_at_any_byte_is_an_error() {
    for wire in &WIRES {
        for reply in cut_answers(wire) {
            let server = ModelServer::start([]).await;
            let model = wire.wire.model(wire.wire.settings(&server));
            for length in 0..=reply.place_of(wire.finish) {
                server.push(reply.clone().broken_after(length));
                let outcome = ask_model(&*model).await;
                let what = format!("{:?} broken after {length} bytes: {outcome:?}", wire.wire);
                assert!(outcome.calls.is_empty(), "{what}");
                let error = outcome.error.as_ref();
                assert!(
                    matches!(error, Some(error @ LlmError::Connection { .. }) if error.is_retryable()),
                    "{what}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_line_of_ten_megabytes_is_read() {
    for wire in &WIRES {
        let long = "x".repeat(LONG_LINE);
        let server = ModelServer::start([(wire.text)(&[&long])]).await;
        let outcome = ask_model(&*wire.wire.model(wire.wire.settings(&server))).await;
        assert_eq!(outcome.text.len(), LONG_LINE, "{:?}", wire.wire);
        assert_eq!(outcome.reason(), Some(FinishReason::Stop));
    }
}
