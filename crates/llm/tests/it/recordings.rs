//! Answers of real services, which are not part of this repository: a test behind the feature
//! `needs-recordings`. `PATTER_RECORDINGS` names
//! a folder with `NAME.expected.json` and `NAME.sse` (or `.json`, `.txt`) in it or below it.

use std::path::{Path, PathBuf};

use patter_testkit::model_server::Reply;
use serde_json::Value;

use crate::support::{Asker, Wire, differences};

#[tokio::test]
async fn every_recording_is_understood_whole_and_in_single_bytes() {
    let folder = std::env::var("PATTER_RECORDINGS").expect("PATTER_RECORDINGS names a folder");
    let asker = Asker::new().await;
    let mut wrong = Vec::new();
    let mut checked = 0;
    for expected_path in expected_files(Path::new(&folder)) {
        let expected: Value =
            serde_json::from_slice(&std::fs::read(&expected_path).unwrap()).unwrap();
        let wire = match expected["provider_kind"].as_str().unwrap() {
            "gemini" => Wire::Gemini,
            "openai_chat" => Wire::OpenAi,
            // Refusals have one form in both APIs of OpenAI.
            "openai_responses" if expected["http_status"] != 200 => Wire::OpenAi,
            _ => continue,
        };
        for single_bytes in [false, true] {
            let reply = reply(&expected_path, &expected);
            let reply = if single_bytes {
                reply.in_single_bytes()
            } else {
                reply
            };
            let outcome = asker.ask(wire, reply).await;
            let found = differences(&expected, &outcome);
            if !found.is_empty() {
                wrong.push(format!(
                    "{}: {found:#?} {:?}",
                    expected_path.display(),
                    outcome.error
                ));
            }
        }
        checked += 1;
    }
    assert!(checked > 0, "no recordings in {folder}");
    assert!(
        wrong.is_empty(),
        "of {checked} recordings:\n{}",
        wrong.join("\n")
    );
}

fn expected_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(expected_files(&path));
        } else if path.to_str().unwrap().ends_with(".expected.json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn reply(expected_path: &Path, expected: &Value) -> Reply {
    let stem = expected_path
        .to_str()
        .unwrap()
        .strip_suffix(".expected.json")
        .unwrap()
        .to_owned();
    let body = ["sse", "json", "txt"]
        .iter()
        .find_map(|extension| std::fs::read(format!("{stem}.{extension}")).ok())
        .unwrap_or_else(|| panic!("{stem} has no body"));
    let mut reply =
        Reply::sse(body).status(u16::try_from(expected["http_status"].as_u64().unwrap()).unwrap());
    if let Some(wait) = expected["retry_after_header"].as_str() {
        reply = reply.header("retry-after", wait);
    }
    reply
}
