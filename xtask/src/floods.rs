//! `cargo xtask floods`: what floods cost those who talk. Builds the binary as it is shipped, and runs the benchmark
//! of `crates/faults` on it. Not part of the tests: it measures the machine too.

use std::process::Command;

use anyhow::ensure;

use crate::{faults, metadata::Metadata, patter, phase::phase, process, programs};

/// Makes the floods, and prints what they cost.
///
/// # Errors
///
/// When something is missing that may not be installed here, does not build, or a promise is broken.
pub(crate) fn run() -> anyhow::Result<()> {
    ensure!(faults::CAN_RUN, "the floods need Linux");
    let metadata = Metadata::read()?;
    phase("find slowhttptest", || {
        programs::find(&[programs::SLOWHTTPTEST])
    })?;
    let binary = phase("build patter", || patter::build_release(&metadata, None))?;
    phase("floods", || {
        // Those who talk are quick enough as the tests are built, and mostly are already.
        let mut command = Command::new("cargo");
        command
            .args(["bench", "--quiet", "--profile", "dev"])
            .args(["--package", "patter-faults", "--bench", "floods"])
            .args(["--features", faults::NEEDS_PROCESSES])
            .env(faults::BINARY_VARIABLE, binary);
        process::run(&mut command)
    })
}
