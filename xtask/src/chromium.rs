//! A browser for the tests of the page: Chromium, or Chrome, which is built from it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::{apt, process};

const HOW_TO_INSTALL: &str = "`apt-get install chromium-headless-shell fonts-liberation` (Debian), \
    `brew install --cask chromium` (macOS), or set CHROMIUM to the path of one";

/// The first is Chromium without windows, which takes half the time of the others.
const NAMES: [&str; 5] = [
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

const MACOS_PROGRAMS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The path of a browser that starts: the one `CHROMIUM` names, else one that is installed, else
/// one from Debian's packages where those may be installed.
///
/// # Errors
///
/// When there is none; the error says how to get one. A `CHROMIUM` that does not start is an
/// error too: it was asked for.
pub(crate) fn find() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        let program = PathBuf::from(named);
        let version = version(&program).context("CHROMIUM names a browser that does not start")?;
        println!("{version} ({}, from CHROMIUM)", program.display());
        return Ok(program);
    }
    if let Some(program) = installed() {
        return Ok(program);
    }
    if apt::may_install() {
        // Older releases, and those made from Debian, have it whole only.
        apt::install(&["chromium-headless-shell", "fonts-liberation"])
            .or_else(|_| apt::install(&["chromium", "fonts-liberation"]))?;
        if let Some(program) = installed() {
            return Ok(program);
        }
    }
    bail!("the page's tests need Chromium or Chrome: {HOW_TO_INSTALL}")
}

fn installed() -> Option<PathBuf> {
    let on_path = NAMES.into_iter().filter_map(process::on_path);
    on_path
        .chain(MACOS_PROGRAMS.map(PathBuf::from))
        .find(|program| {
            // A name alone proves little: on some systems it is a script that asks for a download.
            let version = version(program);
            if let Ok(version) = &version {
                println!("{version} ({})", program.display());
            }
            version.is_ok()
        })
}

fn version(program: &Path) -> anyhow::Result<String> {
    process::output_of(Command::new(program).arg("--version"))
}
