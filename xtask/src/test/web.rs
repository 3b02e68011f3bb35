//! The tests of the page: types, unit tests, and the real binary in a real browser.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::{metadata::Metadata, node::Package, patter, phase::phase, process};

const PACKAGE: Package = Package("web");

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
    phase("build patter with its page", patter::build)?;
    phase("install the packages of the page's tests", || {
        PACKAGE.install()
    })?;
    phase("check the page's types", || {
        process::run(PACKAGE.npm().args(["run", "check"]))
    })?;
    phase("page tests", || {
        let mut command = PACKAGE.npm();
        command
            .arg("test")
            .env("PATTER_BIN", patter::binary(metadata))
            .env("CHROMIUM", &browser.chromium);
        process::run(&mut command)
    })
}
