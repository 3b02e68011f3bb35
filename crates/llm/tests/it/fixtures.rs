//! Answers in the form in which services send them, whole and cut in every way that a network
//! can cut them. What each says stands in its `.expected.json`.

use std::path::{Path, PathBuf};

use patter_llm::{FinishReason, LlmError};
use patter_testkit::model_server::Reply;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::support::{Asker, Wire, differences};

struct Fixture {
    name: String,
    wire: Wire,
    body: Vec<u8>,
    expected: Value,
}

fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut fixtures = Vec::new();
    for (wire, kind) in [(Wire::Gemini, "gemini"), (Wire::OpenAi, "openai")] {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder.join(kind))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sse"))
            .collect();
        paths.sort();
        for path in paths {
            let expected = std::fs::read(path.with_extension("expected.json")).unwrap();
            fixtures.push(Fixture {
                name: format!("{kind}/{}", path.file_stem().unwrap().display()),
                wire,
                body: std::fs::read(&path).unwrap(),
                expected: serde_json::from_slice(&expected).unwrap(),
            });
        }
    }
    assert!(fixtures.len() > 30, "only {} fixtures", fixtures.len());
    fixtures
}

async fn check(asker: &Asker, fixture: &Fixture, how: &str, reply: Reply) {
    let outcome = asker.ask(fixture.wire, reply).await;
    let found = differences(&fixture.expected, &outcome);
    assert!(
        found.is_empty(),
        "{} {how}: {found:#?} {:?}",
        fixture.name,
        outcome.error
    );
}

#[tokio::test]
async fn answers_are_understood_whole_and_in_single_bytes() {
    let asker = Asker::new().await;
    for fixture in fixtures() {
        check(&asker, &fixture, "whole", Reply::sse(fixture.body.clone())).await;
        check(
            &asker,
            &fixture,
            "in bytes",
            Reply::sse(fixture.body.clone()).in_single_bytes(),
        )
        .await;
    }
}

#[tokio::test]
async fn answers_are_understood_in_pieces_of_any_size() {
    let mut runner = TestRunner::deterministic();
    let sizes = proptest::collection::vec(1_usize..90, 1..12);
    let asker = Asker::new().await;
    for fixture in fixtures() {
        for _ in 0..8 {
            let sizes = sizes.new_tree(&mut runner).unwrap().current();
            let how = format!("in pieces of {sizes:?}");
            check(
                &asker,
                &fixture,
                &how,
                Reply::sse(fixture.body.clone()).in_pieces(sizes),
            )
            .await;
        }
    }
}

/// Where the JSON ends that says why the model stopped.
fn end_of_finish(body: &str, marker: &str) -> usize {
    let marker = body.find(marker).unwrap();
    marker + body.split_at(marker).1.find(['\r', '\n']).unwrap()
}

#[tokio::test]
async fn an_answer_that_is_cut_anywhere_before_its_finish_is_truncated() {
    let asker = Asker::new().await;
    for fixture in fixtures() {
        let marker = match fixture.name.as_str() {
            "gemini/text" | "gemini/one-call" => "\"finishReason\":\"STOP\"",
            "openai/text" => "\"finish_reason\":\"stop\"",
            "openai/parallel-calls" => "\"finish_reason\":\"tool_calls\"",
            _ => continue,
        };
        let end = end_of_finish(std::str::from_utf8(&fixture.body).unwrap(), marker);
        let full_text = fixture.expected["text"].as_str().unwrap();
        for length in 0..fixture.body.len() {
            let reply = Reply::sse(fixture.body.clone()).shortened_to(length);
            let outcome = asker.ask(fixture.wire, reply).await;
            let what = format!("{} cut after {length} bytes: {outcome:?}", fixture.name);
            assert!(full_text.starts_with(&outcome.text), "{what}");
            if length < end {
                assert!(
                    matches!(outcome.error, Some(LlmError::Truncated { .. })),
                    "{what}"
                );
                assert!(outcome.calls.is_empty(), "{what}");
            } else if outcome.error.is_none() {
                assert_ne!(outcome.reason(), Some(FinishReason::Length), "{what}");
                assert_eq!(outcome.text, full_text, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_whose_connection_breaks_before_its_end_is_an_error() {
    let asker = Asker::new().await;
    for fixture in fixtures() {
        if !matches!(fixture.name.as_str(), "gemini/text" | "openai/text") {
            continue;
        }
        let end = match fixture.wire {
            // OpenAI says where its answers end, Gemini only closes.
            Wire::OpenAi => fixture.body.len() - "data: [DONE]\n\n".len(),
            Wire::Gemini => fixture.body.len(),
        };
        for length in (0..end).step_by(13) {
            let reply = Reply::sse(fixture.body.clone()).broken_after(length);
            let outcome = asker.ask(fixture.wire, reply).await;
            let error = outcome
                .error
                .unwrap_or_else(|| panic!("no error after {length} bytes"));
            assert!(
                matches!(error, LlmError::Connection { .. }),
                "{length}: {error:?}"
            );
            assert!(error.is_retryable());
        }
    }
}

#[tokio::test]
async fn no_bytes_at_all_make_a_backend_panic_or_hang() {
    let mut runner = TestRunner::deterministic();
    let changes = proptest::collection::vec((0_usize..2_000, proptest::num::u8::ANY), 1..6);
    let asker = Asker::new().await;
    for fixture in fixtures() {
        for _ in 0..20 {
            let mut body = fixture.body.clone();
            for (position, byte) in changes.new_tree(&mut runner).unwrap().current() {
                let position = position % body.len();
                body[position] = byte;
            }
            // That it comes to an end, and to one only, is seen to there.
            asker
                .ask(fixture.wire, Reply::sse(body).in_pieces([33]))
                .await;
        }
    }
}
