//! The binary under test.

use std::{path::PathBuf, process::Command};

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
