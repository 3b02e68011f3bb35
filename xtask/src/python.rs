//! Python, for servers of others that are written in it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process,
    programs::{self, Program},
};

const PYTHON: Program = Program::new("python3", "python3-venv");

/// Makes sure that Python is there.
///
/// # Errors
///
/// When it is missing and may not be installed here; the error says how to install it.
pub(crate) fn find() -> anyhow::Result<()> {
    programs::find(&[PYTHON])
}

/// Installs what a file of requirements names into an environment of its own, and gives its folder of
/// programs.
///
/// # Errors
///
/// When pip fails, or Python cannot make such environments (on Debian: `python3-venv`).
pub(crate) fn install(requirements: &Path, environment: &Path) -> anyhow::Result<PathBuf> {
    let programs = environment.join("bin");
    if !programs.join("pip").exists() {
        process::run(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(environment),
        )?;
    }
    process::run(
        Command::new(programs.join("pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(requirements),
    )?;
    Ok(programs)
}
