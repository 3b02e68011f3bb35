//! `cargo xtask faults`: what patter promises, held against real processes that are killed, cut off
//! and overloaded. Builds the binary, and once more with what breaks its mechanisms on
//! purpose, and runs `crates/faults`.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Context;

use crate::{metadata::Metadata, phase::phase, postgres, process, programs};

/// Set to `1` for the long loops.
const SOAK_VARIABLE: &str = "PATTER_SOAK";

/// The feature of the server whose mechanisms can be broken by a variable; for tests alone.
const SABOTAGE: &str = "sabotage";

/// How the processes are built that the suite starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As for the other tests, which have built almost all of it already.
    Debug,
    /// As it is shipped.
    Release,
}

/// Runs the promises whose names begin so; all of them where no name is given.
///
/// # Errors
///
/// When something is missing that may not be installed here, does not build, or a promise is broken.
pub(crate) fn run(profile: Profile, soak: bool, names: &[String]) -> anyhow::Result<()> {
    let metadata = Metadata::read()?;
    find_programs()?;
    let sabotaged = phase("build patter to be broken", || {
        build(&metadata, profile, Some(SABOTAGE))
    })?;
    let binary = phase("build patter", || build(&metadata, profile, None))?;
    phase("promises", || {
        let mut command = Command::new("cargo");
        command
            .args(["test", "--quiet", "--package", "patter-faults"])
            .args(profile.arguments())
            .args(["--features", "needs-processes", "--test", "faults", "--"])
            .args(names)
            .env("PATTER_BIN", &binary)
            .env("PATTER_SABOTAGE_BIN", &sabotaged);
        if soak {
            command.env(SOAK_VARIABLE, "1");
        }
        process::run(&mut command)
    })
}

impl Profile {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Debug => &[],
            Self::Release => &["--release"],
        }
    }

    /// Its folder among the build's.
    fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// Builds the binary, with the page that needs no Node. One with a feature is put aside under a name of
/// its own, so that the plain one is never mistaken for it.
fn build(metadata: &Metadata, profile: Profile, feature: Option<&str>) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("cargo");
    command
        .args(["build", "--quiet", "--package", "patter-server"])
        .args(profile.arguments())
        .env("PATTER_WEB", "plain");
    if let Some(feature) = feature {
        command.args(["--features", feature]);
    }
    process::run(&mut command)?;
    let folder = metadata.target_directory.join(profile.folder());
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
pub(crate) fn find_programs() -> anyhow::Result<()> {
    phase("find PostgreSQL, PgBouncer and faketime", || {
        postgres::find_programs()?;
        programs::find(&[programs::PGBOUNCER, programs::FAKETIME])
    })
}
