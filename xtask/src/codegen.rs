//! `cargo xtask codegen`: writes the committed files that are made from the code.
//!
//! Each such file has a test that compares it with what the code says, and that writes it where
//! `UPDATE_GENERATED` is `1`: the page's `protocol.ts`, `.env.example`, tables in the docs. What tests say
//! about themselves is put together here.

use std::process::Command;

use crate::{phase::phase, process, security};

/// The crates whose tests hold committed files to the code.
const CRATES: [&str; 2] = ["patter-protocol", "patter-server"];

/// Writes every generated file.
///
/// # Errors
///
/// When a test of these crates fails.
pub(crate) fn run() -> anyhow::Result<()> {
    for name in CRATES {
        phase(&format!("generate from {name}"), || {
            let mut command = Command::new("cargo");
            command.args(["test", "--quiet", "--package", name]);
            process::run(
                command
                    .env("UPDATE_GENERATED", "1")
                    .env("PATTER_WEB", "plain"),
            )
        })?;
    }
    phase("write docs/security.md", security::write)
}
