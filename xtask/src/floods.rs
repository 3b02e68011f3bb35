//! `cargo xtask floods`: what floods cost those who talk. Builds the binary as it is shipped, and runs the benchmark
//! of `crates/faults` on it. Not part of the tests: it measures the machine too.

use anyhow::ensure;

use crate::{
    faults, metadata::Metadata, patter, phase::phase, process, programs,
    test::rust::cargo_test_everything,
};

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
        let mut command = cargo_test_everything(&metadata, None);
        command
            .args(["--features", faults::NEEDS_PROCESSES, "--bench", "floods"])
            .env(faults::BINARY_VARIABLE, binary);
        process::run(&mut command)
    })
}
