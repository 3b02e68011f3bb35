//! What `cargo metadata` says about the workspace, in the few fields that are used here.

use std::{path::PathBuf, process::Command};

use anyhow::Context;
use serde::Deserialize;

use crate::process;

/// The workspace: its own packages, and where cargo builds.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// The packages of the workspace; nothing from a registry.
    pub(crate) packages: Vec<Package>,
    /// Where cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
}

/// One package of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// What its manifest names, features and platforms aside.
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
    /// Feature name to what it turns on.
    pub(crate) features: std::collections::BTreeMap<String, Vec<String>>,
}

/// One line of a package's manifest that names another package.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's own name, also where the manifest renames it.
    pub(crate) name: String,
    /// `None` is a plain dependency; else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// One thing that cargo builds from a package: a library, a binary, a binary of tests.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// `test` is a binary of integration tests.
    pub(crate) kind: Vec<String>,
    /// Its main file.
    pub(crate) src_path: PathBuf,
}

impl Metadata {
    /// Asks cargo about the workspace in the current folder.
    ///
    /// # Errors
    ///
    /// When cargo fails (a manifest does not parse), or answers in an unknown form.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let answer = process::output_of(Command::new("cargo").args([
            "metadata",
            "--format-version=1",
            "--no-deps",
        ]))?;
        serde_json::from_str(&answer).context("could not read the answer of `cargo metadata`")
    }
}
