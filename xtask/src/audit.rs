//! `cargo xtask audit`: licences, advisories and sources of the dependencies, by `deny.toml`.
//!
//! Not part of the tests: it needs the network, and an advisory may appear without any change here.

use std::process::Command;

use anyhow::ensure;

use crate::process;

/// Runs `cargo deny check`.
///
/// # Errors
///
/// When a dependency breaks a rule, or cargo-deny is not installed; the error says how to.
pub(crate) fn run() -> anyhow::Result<()> {
    ensure!(
        process::on_path("cargo-deny").is_some(),
        "cargo-deny is not installed: `cargo install --locked cargo-deny`"
    );
    process::run(Command::new("cargo").args(["deny", "check"]))
}
