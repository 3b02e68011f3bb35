//! The binary under test.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Context;

use crate::{metadata::Metadata, process};

/// Builds it as `cargo run` does, except that a page that does not build is an error.
///
/// # Errors
///
/// When it or its page does not build.
pub(crate) fn build() -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(["build", "--quiet", "--package", "patter-server"])
        .env("PATTER_WEB", "require");
    process::run(&mut command)
}

/// Where it is once it is built.
pub(crate) fn binary(metadata: &Metadata) -> PathBuf {
    metadata.target_directory.join("debug/patter")
}

/// Builds the binary as it is shipped, with the page that needs no Node. One with a feature is put aside
/// under a name of its own, so that the plain one is never mistaken for it.
///
/// # Errors
///
/// When it does not build.
pub(crate) fn build_release(metadata: &Metadata, feature: Option<&str>) -> anyhow::Result<PathBuf> {
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
