//! `cargo xtask faults`: what patter promises, held against real processes that are killed, cut off
//! and overloaded. Builds the binary, and once more with what breaks its mechanisms on
//! purpose, and runs `crates/faults`.

use anyhow::ensure;

use crate::{
    metadata::Metadata, patter, phase::phase, postgres, process, programs, recordings,
    test::rust::cargo_test_everything,
};

/// Set to `1` for the long loops.
const SOAK_VARIABLE: &str = "PATTER_SOAK";

/// The feature of the server whose mechanisms can be broken by a variable; for tests alone.
const SABOTAGE: &str = "sabotage";

/// It limits and watches processes by what only Linux has.
pub(crate) const CAN_RUN: bool = cfg!(target_os = "linux");

/// The feature of tests that start the binary and what it needs.
pub(crate) const NEEDS_PROCESSES: &str = "patter-faults/needs-processes";

/// Where the suite finds the binary, and the one whose mechanisms can be broken.
pub(crate) const BINARY_VARIABLE: &str = "PATTER_BIN";
const SABOTAGE_BINARY_VARIABLE: &str = "PATTER_SABOTAGE_BIN";

/// Runs the promises whose names begin so; all of them where no name is given.
///
/// # Errors
///
/// When something is missing that may not be installed here, does not build, or a promise is broken.
pub(crate) fn run(soak: bool, names: &[String]) -> anyhow::Result<()> {
    ensure!(CAN_RUN, "the fault suite needs Linux");
    let metadata = Metadata::read()?;
    find_programs()?;
    let sabotaged = phase("build patter to be broken", || {
        patter::build_release(&metadata, Some(SABOTAGE))
    })?;
    let binary = phase("build patter", || patter::build_release(&metadata, None))?;
    phase("promises", || {
        // The suite itself is quick enough as the tests are built, and mostly is already.
        let recordings = recordings::find()?;
        let mut command = cargo_test_everything(&metadata, recordings.as_deref());
        command
            .args(["--features", NEEDS_PROCESSES, "--test", "faults", "--"])
            .args(names)
            .env(BINARY_VARIABLE, &binary)
            .env(SABOTAGE_BINARY_VARIABLE, &sabotaged);
        if soak {
            command.env(SOAK_VARIABLE, "1");
        }
        process::run(&mut command)
    })
}

/// Makes sure that everything is there that the suite starts, installing it where that is allowed.
///
/// # Errors
///
/// When something is missing that may not be installed here.
fn find_programs() -> anyhow::Result<()> {
    phase("find PostgreSQL, PgBouncer and faketime", || {
        postgres::find_programs()?;
        programs::find(&[programs::PGBOUNCER, programs::FAKETIME])
    })
}
