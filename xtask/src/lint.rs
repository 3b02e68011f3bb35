//! `cargo xtask lint`: what can be said about the code without running it.

mod layers;
pub(crate) mod tidy;

use std::process::Command;

use clap::ValueEnum;

use crate::{metadata::Metadata, phase::phase, process, security};

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Check {
    /// Every file is formatted by rustfmt.
    Format,
    /// No crate depends on one that it must not know.
    Layers,
    /// The house rules that no other tool checks.
    Tidy,
    /// Each input that the program must stand has a test, and `docs/security.md` lists it.
    Security,
    /// Clippy has nothing to say.
    Clippy,
    /// The documentation builds without a warning.
    Doc,
}

/// Runs one check, or all of them, the quick ones first.
///
/// # Errors
///
/// When a check finds something; layers and tidy list all their findings.
pub(crate) fn run(check: Option<Check>) -> anyhow::Result<()> {
    for each in Check::value_variants() {
        if check.is_none_or(|check| check == *each) {
            each.run()?;
        }
    }
    println!("nothing to complain about");
    Ok(())
}

impl Check {
    fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Format => phase("format", || {
                process::run(&mut cargo(&["fmt", "--all", "--check"]))
            }),
            Self::Layers => phase("layers", || layers::check(&Metadata::read()?)),
            Self::Tidy => phase("tidy", tidy::check),
            Self::Security => phase("security", security::check),
            Self::Clippy => phase("clippy", clippy),
            Self::Doc => phase("doc", doc),
        }
    }
}

fn clippy() -> anyhow::Result<()> {
    let mut command = cargo(&["clippy", "--workspace", "--all-targets", "--all-features"]);
    process::run(command.args(["--quiet", "--", "--deny=warnings"]))
}

fn doc() -> anyhow::Result<()> {
    let mut command = cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--all-features",
        "--quiet",
    ]);
    process::run(command.env("RUSTDOCFLAGS", "--deny=warnings"))
}

/// Cargo, with the page that needs no Node.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).env("PATTER_WEB", "plain");
    command
}
