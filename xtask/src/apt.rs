//! Installing Debian packages, where that is ours to do: on a Debian-like system, as root.

use std::{path::Path, process::Command};

use crate::process;

/// Installs packages with `apt-get`, without questions.
///
/// # Errors
///
/// When `apt-get` fails.
pub(crate) fn install(packages: &[&str]) -> anyhow::Result<()> {
    println!("installing {} with apt-get", packages.join(", "));
    process::run(apt_get().arg("update"))?;
    process::run(
        apt_get()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages),
    )
}

/// Whether `install` may be called here: Debian or one of its children, and root.
pub(crate) fn may_install() -> bool {
    Path::new("/etc/debian_version").exists()
        && process::on_path("apt-get").is_some()
        && process::is_root()
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .arg("--quiet")
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}
