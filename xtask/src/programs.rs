//! Servers and tools of others that tests start: found, or installed where that is allowed.

use std::path::PathBuf;

use anyhow::bail;

use crate::{apt, process};

/// A program, and the Debian package that has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    name: &'static str,
    package: &'static str,
}

pub(crate) const PGBOUNCER: Program = Program::new("pgbouncer", "pgbouncer");
pub(crate) const FAKETIME: Program = Program::new("faketime", "faketime");
pub(crate) const VALGRIND: Program = Program::new("valgrind", "valgrind");
pub(crate) const SLOWHTTPTEST: Program = Program::new("slowhttptest", "slowhttptest");

/// Proxies that stand in front of the server in some tests, and what makes certificates for them.
pub(crate) const PROXIES: [Program; 3] = [
    Program::new("nginx", "nginx-light"),
    Program::new("haproxy", "haproxy"),
    Program::new("openssl", "openssl"),
];

/// Makes sure that the programs are there.
///
/// # Errors
///
/// When one is missing and may not be installed here; the error says how to install it.
pub(crate) fn find(programs: &[Program]) -> anyhow::Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|program| !program.is_installed())
        .map(|program| program.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !apt::may_install() {
        bail!("missing: `apt-get install {}` (Debian)", missing.join(" "));
    }
    apt::install(&missing)
}

impl Program {
    pub(crate) const fn new(name: &'static str, package: &'static str) -> Self {
        Self { name, package }
    }

    /// Debian keeps servers in a folder that is on the `PATH` of root alone.
    fn is_installed(self) -> bool {
        let beside = PathBuf::from("/usr/sbin").join(self.name);
        process::on_path(self.name).is_some() || process::is_executable(&beside)
    }
}
