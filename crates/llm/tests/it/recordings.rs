//! Answers of real services, which are not part of this repository: a test behind the feature
//! `needs-recordings`. `PATTER_RECORDINGS` names a folder of samples; `provider_kind` in each
//! record says which backend they are for.

use std::path::Path;

use proptest::test_runner::TestRunner;

use crate::samples::samples;
use crate::support::{Asker, Wire};

#[tokio::test]
async fn every_recording_is_understood_however_it_is_cut() {
    let folder = std::env::var("PATTER_RECORDINGS").expect("PATTER_RECORDINGS names a folder");
    let asker = Asker::new().await;
    let mut runner = TestRunner::deterministic();
    let mut faults = Vec::new();
    let mut checked = 0;
    for recording in samples(Path::new(&folder)) {
        let wire = match recording.expected["provider_kind"].as_str().unwrap() {
            "gemini" => Wire::Gemini,
            "openai_chat" => Wire::OpenAi,
            "openai_responses" => Wire::Responses,
            kind => panic!("{kind} is no kind of provider"),
        };
        faults.extend(recording.faults(&asker, wire, &mut runner).await);
        checked += 1;
    }
    assert!(checked > 0, "no recordings in {folder}");
    assert!(
        faults.is_empty(),
        "of {checked} recordings:\n{}",
        faults.join("\n")
    );
}
