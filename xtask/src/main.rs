//! The project's own commands, run as `cargo xtask <command>`.
//!
//! A phase that fails ends the run: the last line names it, and the exit code is 1. What a command
//! needs from the machine is looked for, installed where that is allowed, or named; it is never
//! skipped. Made for Unix: Linux and macOS.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to a terminal"
)]

mod apt;
mod audit;
mod autobahn;
mod bench;
mod chromium;
mod codegen;
mod faults;
mod floods;
mod fuzz;
mod lint;
mod metadata;
mod node;
mod patter;
mod phase;
mod postgres;
mod process;
mod programs;
mod python;
mod recordings;
mod security;
mod test;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Run every test: Rust, both stores, the page in a browser.
    Test {
        /// Run one part only.
        part: Option<test::Part>,
    },
    /// Kill, pause, cut off and overload real processes, and hold every promise against them.
    Faults {
        /// Run the long loops, for nights and releases.
        #[arg(long)]
        soak: bool,
        /// Run only what begins so, such as `p01`.
        names: Vec<String>,
    },
    /// Measure what floods of connections cost those who talk.
    Floods,
    /// Look for inputs that break a promise, for longer than the tests do.
    Fuzz {
        /// Run this target only, such as `frames`.
        target: Option<String>,
        /// How long each one is run.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// Measure what patter costs, beside others and beside the floor.
    Bench {
        /// Compare the instructions of the path of a token with what is committed, and nothing else.
        #[arg(long)]
        check: bool,
        /// A part: `--only steady`, `--server patter`, `--seconds 4`, `--rounds 3`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        parts: Vec<String>,
    },
    /// Let Autobahn's client send the WebSocket everything that it should not take.
    Autobahn,
    /// Check format, lints, documentation, the arrows between crates, and tidiness.
    Lint {
        /// Run one check only.
        check: Option<lint::Check>,
    },
    /// Write the committed files that are made from the code.
    Codegen,
    /// Check licences and advisories of the dependencies with cargo-deny.
    Audit,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let root = repository_root()?;
    std::env::set_current_dir(&root)
        .with_context(|| format!("could not change to `{}`", root.display()))?;
    match command {
        Command::Test { part } => test::run(part),
        Command::Faults { soak, names } => faults::run(soak, &names),
        Command::Floods => floods::run(),
        Command::Fuzz { target, seconds } => {
            fuzz::run(target.as_deref(), Duration::from_secs(seconds))
        }
        Command::Bench { check: true, .. } => bench::check(),
        Command::Bench { parts, .. } => bench::run(&parts),
        Command::Autobahn => autobahn::run(),
        Command::Lint { check } => lint::run(check),
        Command::Codegen => codegen::run(),
        Command::Audit => audit::run(),
    }
}

/// The folder above this crate, which cargo names while it runs it.
fn repository_root() -> anyhow::Result<PathBuf> {
    let manifest_folder = std::env::var_os("CARGO_MANIFEST_DIR")
        .context("CARGO_MANIFEST_DIR is not set: run this as `cargo xtask`")?;
    Path::new(&manifest_folder)
        .parent()
        .map(Path::to_path_buf)
        .context("CARGO_MANIFEST_DIR has no parent folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_benchmark_is_handed_on_as_it_is() {
        let line = [
            "cargo xtask",
            "bench",
            "--only",
            "steady",
            "--server",
            "patter",
        ];
        let Command::Bench { check, parts } = Arguments::parse_from(line).command else {
            panic!("not a benchmark");
        };
        assert!(!check);
        assert_eq!(parts, ["--only", "steady", "--server", "patter"]);
        let line = ["cargo xtask", "bench", "--check"];
        let command = Arguments::parse_from(line).command;
        assert!(matches!(command, Command::Bench { check: true, .. }));
    }
}
