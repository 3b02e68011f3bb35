//! `cargo xtask bench`: what patter costs, measured beside what people would use instead and beside the
//! floor (`crates/bench`); with `--check`, the instructions of the path of a token, held against what is
//! committed.

mod instructions;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::{
    metadata::Metadata, node, node::Package, phase::phase, postgres, process, programs, python,
};

/// It measures processes by what only Linux has.
const CAN_RUN: bool = cfg!(target_os = "linux");

/// What is shipped.
const PROFILE: &str = "dist";

const FASTAPI: &str = "crates/bench/peers/fastapi";
const NODE: Package = Package("crates/bench/peers/node");

/// Runs the benchmark, or a part of it.
///
/// # Errors
///
/// When something is missing that may not be installed here, does not build, or does not work.
pub(crate) fn run(parts: &[String]) -> anyhow::Result<()> {
    ensure!(CAN_RUN, "the benchmark needs Linux");
    let metadata = Metadata::read()?;
    let work = metadata.target_directory.join("bench");
    let programs = phase("install what others are made of", || {
        postgres::find_programs()?;
        python::find()?;
        node::find()?;
        NODE.install()?;
        let requirements = Path::new(FASTAPI).join("requirements.txt");
        python::install(&requirements, &work.join("python"))
    })?;
    let binaries = phase("build", || build(&metadata))?;
    phase("measure", || {
        let folder = work.join("work");
        fs::create_dir_all(&folder)
            .with_context(|| format!("could not make `{}`", folder.display()))?;
        let mut command = Command::new(binaries.join("patter-bench"));
        command.arg("run");
        for (option, path) in [
            ("--patter", binaries.join("patter")),
            ("--python", programs.join("python")),
            ("--fastapi", std::path::absolute(FASTAPI)?),
            ("--node", std::path::absolute(NODE.0)?),
            ("--work", folder.clone()),
            ("--docs", std::path::absolute("docs")?),
        ] {
            command.arg(option).arg(path);
        }
        // The database too is to be on the disk that builds are on: `/tmp` is in memory on many machines.
        process::run(command.args(parts).env("TMPDIR", folder))
    })
}

/// Counts the instructions of the path of a token, and compares them with what is committed.
///
/// # Errors
///
/// When they are more than a little more, or cannot be counted.
pub(crate) fn check() -> anyhow::Result<()> {
    ensure!(CAN_RUN, "the benchmark needs Linux");
    programs::find(&[programs::VALGRIND])?;
    let metadata = Metadata::read()?;
    let binaries = phase("build", || build(&metadata))?;
    phase("count", || {
        instructions::check(
            &binaries.join("token_path"),
            &metadata.target_directory.join("bench"),
        )
    })
}

/// Builds the server as it is shipped and what measures it, at once: what both need is built once, and alike.
fn build(metadata: &Metadata) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("cargo");
    command
        .args(["build", "--quiet", "--profile", PROFILE, "--bins"])
        .args(["--package", "patter-server", "--package", "patter-bench"])
        .env("PATTER_WEB", "plain");
    process::run(&mut command)?;
    Ok(metadata.target_directory.join(PROFILE))
}
