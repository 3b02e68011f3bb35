//! Brings the web page into the binary.
//!
//! With Node 20 or newer at hand it bundles `web/` with npm; without, it takes the hand-written page
//! in `web/plain`. Either way it writes `OUT_DIR/assets.rs`, a table that `src/assets.rs` includes:
//! entries of (path, bytes, brotli form if there is one), sorted by path.
//!
//! `PATTER_WEB` chooses: `auto` (the default) falls back to the plain page with one warning,
//! `require` fails where the page cannot be built, `plain` takes the plain page without trying.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What the page is built from, within `web/`; anything else there concerns only its tests.
const SOURCES: [&str; 4] = ["package.json", "package-lock.json", "build.mjs", "src"];
const OLDEST_NODE: u32 = 20;

/// Why something could not be done, for the person who builds.
type Reason = String;

fn main() -> Result<(), Reason> {
    let crate_dir = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out_dir = PathBuf::from(variable("OUT_DIR")?);
    let web = crate_dir.join("../../web");
    for source in SOURCES.iter().chain(&["plain"]) {
        println!("cargo::rerun-if-changed={}", web.join(source).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATTER_WEB");
    println!("cargo::rerun-if-env-changed=PATH");

    let (kind, page) = match choose(&web, &out_dir)? {
        Some(built) => ("full", built),
        None => ("plain", web.join("plain")),
    };
    let files = read_page(&page).map_err(|error| format!("reading {}: {error}", page.display()))?;
    fs::write(out_dir.join("assets.rs"), table(kind, &files))
        .map_err(|error| format!("writing the table of assets: {error}"))
}

/// The folder of the built page, or `None` for the plain one.
fn choose(web: &Path, out_dir: &Path) -> Result<Option<PathBuf>, Reason> {
    let mode = env::var("PATTER_WEB").unwrap_or_else(|_| "auto".to_owned());
    match mode.as_str() {
        "plain" => Ok(None),
        "require" => build(web, out_dir).map(Some).map_err(|reason| {
            format!("the web page could not be built, and PATTER_WEB=require: {reason}")
        }),
        "auto" => Ok(build(web, out_dir).map_or_else(
            |reason| {
                // A file that never exists makes cargo try again at each build, so that
                // installing Node later is enough.
                println!("cargo::rerun-if-changed={}", out_dir.join("never").display());
                println!(
                    "cargo::warning=the web page was not built ({reason}); a plain one is embedded. \
                     Install Node {OLDEST_NODE} or newer with npm and build again for the full one."
                );
                None
            },
            Some,
        )),
        other => Err(format!("PATTER_WEB is `{other}`; it can be auto, require or plain")),
    }
}

/// Bundles a copy of the sources in `out_dir`: a build script must not write into the source tree.
fn build(web: &Path, out_dir: &Path) -> Result<PathBuf, Reason> {
    check_node()?;
    let work = out_dir.join("web");
    let page = out_dir.join("page");
    copy_sources(web, &work).map_err(|error| format!("copying {}: {error}", web.display()))?;
    install_packages(&work)?;
    let target = page
        .to_str()
        .ok_or("the target folder's path is not UTF-8")?;
    run(&work, "node", &["build.mjs", target])?;
    Ok(page)
}

fn check_node() -> Result<(), Reason> {
    let version = run(Path::new("."), "node", &["--version"])?;
    let major = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .unwrap_or_default();
    match major.parse::<u32>() {
        Ok(major) if major >= OLDEST_NODE => Ok(()),
        _ => Err(format!(
            "Node {} is older than {OLDEST_NODE}",
            version.trim()
        )),
    }
}

fn copy_sources(web: &Path, work: &Path) -> io::Result<()> {
    fs::create_dir_all(work)?;
    if work.join("src").exists() {
        fs::remove_dir_all(work.join("src"))?;
    }
    SOURCES
        .iter()
        .try_for_each(|source| copy(&web.join(source), &work.join(source)))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Installs what the lock file names, unless that was done before.
fn install_packages(work: &Path) -> Result<(), Reason> {
    let wanted = work.join("package-lock.json");
    let installed = work.join("installed-lock.json");
    let read = |path: &Path| fs::read(path).ok();
    if read(&installed).is_some() && read(&installed) == read(&wanted) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(
        work,
        npm,
        &[
            "ci",
            "--omit=dev",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ],
    )?;
    fs::copy(&wanted, &installed)
        .map(drop)
        .map_err(|error| format!("noting what was installed: {error}"))
}

/// Runs a program and gives what it printed.
fn run(directory: &Path, program: &str, arguments: &[&str]) -> Result<String, Reason> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .map_err(|error| format!("`{program}` could not be started: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let told: Vec<&str> = said
        .lines()
        .filter(|line| !line.contains("warn"))
        .take(3)
        .collect();
    Err(format!(
        "`{program} {}` failed: {}",
        arguments.join(" "),
        told.join(" / ")
    ))
}

/// Every file below `directory`, by its path in a URL.
fn read_page(directory: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![directory.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path().canonicalize()?;
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(relative) = path.strip_prefix(directory.canonicalize()?) {
                let names: Vec<_> = relative.iter().map(|name| name.to_string_lossy()).collect();
                files.insert(format!("/{}", names.join("/")), path);
            }
        }
    }
    Ok(files)
}

/// The Rust source of the table.
fn table(kind: &str, files: &BTreeMap<String, PathBuf>) -> String {
    let mut source = format!("const KIND: &str = {kind:?};\nconst FILES: &[File] = &[\n");
    for (path, file) in files.iter().filter(|(path, _)| !path.ends_with(".br")) {
        let brotli = files.get(&format!("{path}.br"));
        let brotli = brotli.map_or_else(
            || "None".to_owned(),
            |file| format!("Some(include_bytes!({file:?}))"),
        );
        // Writing to a String cannot fail.
        let _ = writeln!(
            source,
            "    ({path:?}, include_bytes!({file:?}), {brotli}),"
        );
    }
    source + "];\n"
}

fn variable(name: &str) -> Result<String, Reason> {
    env::var(name).map_err(|_| format!("cargo did not set {name}"))
}
