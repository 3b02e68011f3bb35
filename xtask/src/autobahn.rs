//! `cargo xtask autobahn`: Autobahn's fuzzing client against the WebSocket of the binary. What came of each case
//! is committed, and any change of it fails. The suite is old and needs Python 2.7; cases of compression are
//! left out, since none is granted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use crate::{metadata::Metadata, patter, phase::phase, process};

/// Names another Python 2.7 than `python2.7`.
const PYTHON_VARIABLE: &str = "PYTHON2";
const HOW_TO_INSTALL: &str = "no system has a package of it any more: `pyenv install 2.7.18`, or set PYTHON2 to the \
    path of one that has pip";
const SUITE: &str = "autobahntestsuite==25.10.1";
const EXPECTED: &str = "interop/autobahn.json";
/// By this name the suite knows the server.
const AGENT: &str = "patter";
/// Set to `1`, what came of it is written as what is expected.
const UPDATE_VARIABLE: &str = "UPDATE_GENERATED";

/// Case to what came of it: of what was said, and of how the connection was closed.
type Results = BTreeMap<String, (String, String)>;

/// Builds the binary with its echo, runs the suite, compares.
///
/// # Errors
///
/// When something is missing or does not build, or a case does not end as it is known to.
pub(crate) fn run() -> anyhow::Result<()> {
    let metadata = Metadata::read()?;
    let folder = metadata.target_directory.join("autobahn");
    fs::create_dir_all(&folder)?;
    phase("find Python 2.7", find_python)?;
    let suite = phase("install the Autobahn test suite", || install(&folder))?;
    let binary = phase("build patter with its echo", || build(&metadata, &folder))?;
    let results = phase("fuzz it", || fuzz(&folder, &suite, &binary))?;
    phase("compare", || compare(&results))
}

fn python() -> Command {
    let name = std::env::var_os(PYTHON_VARIABLE).unwrap_or_else(|| "python2.7".into());
    let mut command = Command::new(name);
    // Where pyenv manages several, it is one of them.
    command.env("PYENV_VERSION", "2.7.18");
    command
}

fn find_python() -> anyhow::Result<()> {
    let said = process::output_of(python().args(["-m", "pip", "--version"]));
    let is_old = said.as_ref().is_ok_and(|said| said.contains("python 2.7"));
    ensure!(
        is_old,
        "Autobahn's suite needs Python 2.7 with pip ({said:?}); {HOW_TO_INSTALL}"
    );
    Ok(())
}

fn install(folder: &Path) -> anyhow::Result<PathBuf> {
    // Another version is another folder.
    let suite = folder.join(SUITE);
    let program = suite.join("bin/wstest");
    if !program.exists() {
        let mut pip = python();
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        pip.arg("--target").arg(&suite).arg(SUITE);
        process::run(&mut pip)?;
        // Python 2 finds no package in a folder without one.
        File::create(suite.join("zope/__init__.py"))?;
    }
    Ok(suite)
}

/// Builds it, and puts it aside under a name of its own, so that the plain one is never mistaken for it.
fn build(metadata: &Metadata, folder: &Path) -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--quiet", "--package", "patter-server"])
        .args(["--features", "autobahn-echo"])
        .env("PATTER_WEB", "plain");
    process::run(&mut cargo)?;
    let aside = folder.join("patter");
    fs::copy(patter::binary(metadata), &aside)?;
    Ok(aside)
}

/// A process that does not outlive this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone.
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

fn fuzz(folder: &Path, suite: &Path, binary: &Path) -> anyhow::Result<Results> {
    let reports = folder.join("reports");
    if reports.exists() {
        fs::remove_dir_all(&reports)?;
    }
    let mut server = Command::new(binary);
    server
        .args([
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--set",
            "llm.provider=demo",
        ])
        .arg("--set")
        .arg(format!(
            "store.url=sqlite:{}",
            folder.join("patter.db").display()
        ))
        .current_dir(folder)
        .stdout(Stdio::piped());
    let mut server = Running(server.spawn().context("could not start patter")?);
    let said = server.0.stdout.take().context("patter has no stdout")?;
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line)?;
    let address = line
        .split("http://")
        .nth(1)
        .and_then(|it| it.split(' ').next());
    let address = address.with_context(|| format!("patter does not listen: {line}"))?;

    let spec = folder.join("spec.json");
    let wanted = serde_json::json!({
        "outdir": reports,
        "servers": [{ "agent": AGENT, "url": format!("ws://{address}/autobahn") }],
        "cases": ["*"],
        "exclude-cases": ["12.*", "13.*"],
        "exclude-agent-cases": {},
    });
    fs::write(&spec, wanted.to_string())?;
    let mut suite_runs = python();
    suite_runs
        .arg(suite.join("bin/wstest"))
        .args(["-m", "fuzzingclient", "-s"])
        .arg(&spec)
        .env("PYTHONPATH", suite)
        .stdout(Stdio::null());
    process::run(&mut suite_runs)?;
    read(&reports.join("index.json"))
}

fn read(index: &Path) -> anyhow::Result<Results> {
    #[derive(Deserialize)]
    struct Case {
        behavior: String,
        #[serde(rename = "behaviorClose")]
        behavior_close: String,
    }
    let index = fs::read(index).context("the suite wrote no report")?;
    let mut agents: BTreeMap<String, BTreeMap<String, Case>> = serde_json::from_slice(&index)?;
    let cases = agents.remove(AGENT).unwrap_or_default().into_iter();
    let results = cases.map(|(name, case)| (name, (case.behavior, case.behavior_close)));
    Ok(results.collect())
}

/// Holds what came of it against what is committed, or commits to it.
fn compare(results: &Results) -> anyhow::Result<()> {
    ensure!(!results.is_empty(), "no case was run");
    if std::env::var_os(UPDATE_VARIABLE).is_some_and(|value| value == "1") {
        let text = serde_json::to_string_pretty(results)? + "\n";
        fs::write(EXPECTED, text)?;
        return Ok(());
    }
    let expected = fs::read(EXPECTED).with_context(|| format!("there is no `{EXPECTED}`"))?;
    let expected: Results = serde_json::from_slice(&expected)?;
    let names: BTreeSet<_> = expected.keys().chain(results.keys()).collect();
    let changed: Vec<String> = names
        .into_iter()
        .filter(|name| expected.get(*name) != results.get(*name))
        .map(|name| {
            format!(
                "{name}: {:?}, was {:?}",
                results.get(name),
                expected.get(name)
            )
        })
        .collect();
    if changed.is_empty() {
        println!("{} cases as expected", results.len());
        return Ok(());
    }
    bail!(
        "{} cases have changed:\n{}",
        changed.len(),
        changed.join("\n")
    )
}
