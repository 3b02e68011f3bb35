//! `cargo xtask fuzz`: the fuzz targets, for longer than the second that each has as a test.
//!
//! A target is a test called `fuzz_NAME`, among the unit tests of a crate or in its `tests/it/fuzz.rs`. A name
//! that none has is an error, and the targets that there are are told.

use std::time::Duration;

use anyhow::ensure;

use crate::{
    metadata::Metadata, phase::phase, process, recordings, test::rust::cargo_test_everything,
};

/// How long bolero looks for a fault, in milliseconds.
const TIME_VARIABLE: &str = "BOLERO_RANDOM_TEST_TIME_MS";

/// Runs the target of this name, or all of them one after the other, each for so long.
///
/// # Errors
///
/// When there is no such target, or one finds a fault.
pub(crate) fn run(target: Option<&str>, time: Duration) -> anyhow::Result<()> {
    let metadata = Metadata::read()?;
    let recordings = recordings::find()?;
    let tests = || {
        let mut command = cargo_test_everything(&metadata, recordings.as_deref());
        command.args(["--lib", "--test", "it", "--"]);
        command
    };
    let list = phase("build the fuzz targets", || {
        process::output_of(tests().args(["--list", "--format", "terse"]))
    })?;
    let chosen = chosen(&list, target)?;
    for (name, path) in chosen {
        phase(&format!("{name}, {} s", time.as_secs()), || {
            let mut command = tests();
            let time_ms = time.as_millis().to_string();
            process::run(command.args(["--exact", path]).env(TIME_VARIABLE, time_ms))
        })?;
    }
    Ok(())
}

/// The names and the paths of the targets in a list of tests: of all, or of the one that is wanted.
fn chosen<'a>(list: &'a str, wanted: Option<&str>) -> anyhow::Result<Vec<(&'a str, &'a str)>> {
    let paths = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let targets = paths.filter_map(|path| {
        let name = path.rsplit("::").next()?.strip_prefix("fuzz_")?;
        Some((name, path))
    });
    let targets: Vec<_> = targets.collect();
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
    let chosen: Vec<_> = targets
        .iter()
        .copied()
        .filter(|(name, _)| is_wanted(name))
        .collect();
    let names: Vec<_> = targets.iter().map(|(name, _)| *name).collect();
    ensure!(
        !chosen.is_empty(),
        "there is no fuzz target `{}`; there are: {}",
        wanted.unwrap_or_default(),
        names.join(", ")
    );
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str =
        "a::tests::fuzzy: test\nsse::parser::fuzz::fuzz_sse: test\n\nfuzz::fuzz_frames: test\n";

    #[test]
    fn targets_are_found_by_their_names() {
        let sse = ("sse", "sse::parser::fuzz::fuzz_sse");
        let frames = ("frames", "fuzz::fuzz_frames");
        assert_eq!(chosen(LIST, None).unwrap(), [sse, frames]);
        assert_eq!(chosen(LIST, Some("frames")).unwrap(), [frames]);
    }

    #[test]
    fn a_target_that_there_is_not_is_an_error() {
        let error = chosen(LIST, Some("frame")).unwrap_err().to_string();
        assert!(error.contains("`frame`; there are: sse, frames"), "{error}");
        assert!(chosen("other: test\n", None).is_err());
    }
}
