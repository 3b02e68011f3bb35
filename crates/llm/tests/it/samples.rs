//! Answers of services, each beside a record of what it says: `NAME.expected.json`, and the body in
//! `NAME.sse`, `NAME.json` or `NAME.txt`. And the ways in which a network cuts them.

use std::path::{Path, PathBuf};

use patter_testkit::model_server::Reply;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::support::{Asker, Wire, differences};

/// How often each is cut in random pieces.
const RANDOM_CUTS: usize = 8;

/// One answer.
pub(crate) struct Sample {
    /// Its path without what follows the name.
    pub(crate) stem: PathBuf,
    pub(crate) body: Vec<u8>,
    pub(crate) expected: Value,
}

/// The samples in a folder and below it, in order.
pub(crate) fn samples(folder: &Path) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            samples.extend(self::samples(&path));
        } else if let Some(stem) = path.to_str().unwrap().strip_suffix(".expected.json") {
            samples.push(Sample::read(PathBuf::from(stem)));
        }
    }
    samples
}

impl Sample {
    fn read(stem: PathBuf) -> Self {
        let file = |extension| std::fs::read(stem.with_added_extension(extension));
        let expected = serde_json::from_slice(&file("expected.json").unwrap()).unwrap();
        let body = ["sse", "json", "txt"]
            .iter()
            .find_map(|extension| file(extension).ok())
            .unwrap_or_else(|| panic!("{} has no body", stem.display()));
        Self {
            stem,
            body,
            expected,
        }
    }

    /// The answer in one piece.
    pub(crate) fn reply(&self) -> Reply {
        let status = self.expected["http_status"].as_u64().unwrap_or(200);
        let reply = Reply::sse(self.body.clone()).status(u16::try_from(status).unwrap());
        match self.expected["retry_after_header"].as_str() {
            Some(wait) => reply.header("retry-after", wait),
            None => reply,
        }
    }

    /// What is wrong with how the backend understands it: whole, in single bytes, and in pieces of
    /// random sizes, which a deterministic runner makes the same in every run.
    pub(crate) async fn faults(
        &self,
        asker: &Asker,
        wire: Wire,
        runner: &mut TestRunner,
    ) -> Vec<String> {
        let size = prop_oneof![1_usize..8, 8_usize..90, 90_usize..2_000];
        let sizes = proptest::collection::vec(size, 1..12);
        let mut ways = vec![
            ("whole".to_owned(), self.reply()),
            ("in bytes".to_owned(), self.reply().in_single_bytes()),
        ];
        for _ in 0..RANDOM_CUTS {
            let sizes = sizes.new_tree(runner).unwrap().current();
            let how = format!("in pieces of {sizes:?}");
            ways.push((how, self.reply().in_pieces(sizes)));
        }
        let mut faults = Vec::new();
        for (how, reply) in ways {
            let outcome = asker.ask(wire, reply).await;
            let found = differences(&self.expected, &outcome);
            if !found.is_empty() {
                let name = self.stem.display();
                faults.push(format!("{name} {how}: {found:#?} {:?}", outcome.error));
            }
        }
        faults
    }
}
