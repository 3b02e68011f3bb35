//! `cargo xtask faults`: what patter promises, held against real processes that are killed, cut off
//! and overloaded. Builds the binary, and once more with what breaks its mechanisms on
//! purpose, and runs `crates/faults`.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, ensure};

use crate::{
    metadata::Metadata, phase::phase, postgres, process, programs, recordings,
    test::rust::cargo_test_everything,
};

/// Set to `1` for the long loops.
const SOAK_VARIABLE: &str = "PATTER_SOAK";

/// The feature of the server whose mechanisms can be broken by a variable; for tests alone.
const SABOTAGE: &str = "sabotage";

/// It limits and watches processes by what only Linux has.
const CAN_RUN: bool = cfg!(target_os = "linux");

/// The feature of tests that start the binary and what it needs.
const NEEDS_PROCESSES: &str = "patter-faults/needs-processes";

/// Where the suite finds the binary, and the one whose mechanisms can be broken.
const BINARY_VARIABLE: &str = "PATTER_BIN";
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
        build(&metadata, Some(SABOTAGE))
    })?;
    let binary = phase("build patter", || build(&metadata, None))?;
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

/// Builds the binary as it is shipped, with the page that needs no Node. One with a feature is put aside
/// under a name of its own, so that the plain one is never mistaken for it.
fn build(metadata: &Metadata, feature: Option<&str>) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("cargo");
    command
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "patter-server",
        ])
        .env("PATTER_WEB", "plain");
    if let Some(feature) = feature {
        command.args(["--features", feature]);
    }
    process::run(&mut command)?;
    let folder = metadata.target_directory.join("release");
    let binary = folder.join("patter");
    let Some(feature) = feature else {
        return Ok(binary);
    };
    let aside = folder.join(format!("patter-{feature}"));
    fs::copy(&binary, &aside)
        .with_context(|| format!("could not put `{}` aside", binary.display()))?;
    Ok(aside)
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
