//! Answers in the form in which services send them, whole and cut in every way that a network
//! can cut them. What each says stands in its `.expected.json`.

use std::path::Path;

use patter_llm::{FinishReason, LlmError};
use patter_testkit::model_server::Reply;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::samples::{Sample, samples};
use crate::support::{Asker, Wire};

struct Fixture {
    name: String,
    wire: Wire,
    sample: Sample,
}

fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut fixtures = Vec::new();
    for (wire, kind) in [
        (Wire::Gemini, "gemini"),
        (Wire::OpenAi, "openai"),
        (Wire::Responses, "openai-responses"),
    ] {
        for sample in samples(&folder.join(kind)) {
            fixtures.push(Fixture {
                name: format!("{kind}/{}", sample.stem.file_name().unwrap().display()),
                wire,
                sample,
            });
        }
    }
    assert!(fixtures.len() > 90, "only {} fixtures", fixtures.len());
    fixtures
}

#[tokio::test]
async fn answers_are_understood_however_they_are_cut() {
    let asker = Asker::new().await;
    let mut runner = TestRunner::deterministic();
    for Fixture { wire, sample, .. } in fixtures() {
        let faults = sample.faults(&asker, wire, &mut runner).await;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
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
            "openai-responses/text" | "openai-responses/no-arguments" => {
                "\"type\":\"response.completed\""
            }
            "openai/parallel-calls" => "\"finish_reason\":\"tool_calls\"",
            _ => continue,
        };
        let end = end_of_finish(std::str::from_utf8(&fixture.sample.body).unwrap(), marker);
        let full_text = fixture.sample.expected["text"].as_str().unwrap();
        for length in 0..fixture.sample.body.len() {
            let reply = Reply::sse(fixture.sample.body.clone()).shortened_to(length);
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
        if !fixture.name.ends_with("/text") {
            continue;
        }
        let end = match fixture.wire {
            // OpenAI says where its answers end, Gemini only closes.
            Wire::OpenAi => fixture.sample.body.len() - "data: [DONE]\n\n".len(),
            Wire::Responses => fixture.sample.body.len() - "\n\n".len(),
            Wire::Gemini => fixture.sample.body.len(),
        };
        for length in (0..end).step_by(13) {
            let reply = Reply::sse(fixture.sample.body.clone()).broken_after(length);
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
            let mut body = fixture.sample.body.clone();
            if body.is_empty() {
                continue;
            }
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
