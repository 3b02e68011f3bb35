//! The tests of the page: types, unit tests, and the real binary in a real browser.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;

use crate::{metadata::Metadata, phase::phase, process};

/// What the tests of the page need besides Node.
#[derive(Debug)]
pub(super) struct Browser {
    pub(super) chromium: PathBuf,
}

/// Builds the binary with the page inside, then runs the checks and tests of `web/` against it.
///
/// # Errors
///
/// When the page or the binary does not build, or a test fails.
pub(super) fn run(metadata: &Metadata, browser: &Browser) -> anyhow::Result<()> {
    ensure!(
        Path::new("web/package.json").exists(),
        "`web/package.json` is missing"
    );
    phase("build patter with its page", build_patter)?;
    phase("install the packages of the page's tests", || {
        process::run(npm().args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))
    })?;
    phase("check the page's types", || {
        process::run(npm().args(["run", "check"]))
    })?;
    phase("page tests", || {
        let patter = metadata.target_directory.join("debug/patter");
        let mut command = npm();
        command
            .arg("test")
            .env("PATTER_BIN", patter)
            .env("CHROMIUM", &browser.chromium);
        process::run(&mut command)
    })
}

/// The binary as `cargo run` builds it, where a page that does not build is an error.
fn build_patter() -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(["build", "--quiet", "--package", "patter-server"])
        .env("PATTER_WEB", "require");
    process::run(&mut command)
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir("web");
    command
}
