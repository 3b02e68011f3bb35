//! Node and npm, for the tests that are written for them.

use std::process::Command;

use anyhow::bail;

use crate::{apt, process};

/// The oldest major version that runs the page's build and its tests.
const OLDEST_MAJOR: u32 = 20;

const HOW_TO_INSTALL: &str = "install Node 20 or newer with npm: `apt-get install nodejs npm` \
    (Debian 13 or newer), `brew install node`, or https://nodejs.org/en/download";

/// Makes sure that `node` and `npm` are on `PATH` and new enough; installs them where it may.
///
/// # Errors
///
/// When they are missing or too old and cannot be installed; the error says how to.
pub(crate) fn find() -> anyhow::Result<()> {
    let first_try = check();
    if first_try.is_ok() || !apt::may_install() {
        return first_try;
    }
    apt::install(&["nodejs", "npm"])?;
    check()
}

/// A folder of the repository with a `package.json`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package(pub(crate) &'static str);

impl Package {
    /// npm in that folder.
    pub(crate) fn npm(self) -> Command {
        let mut command = Command::new("npm");
        command.current_dir(self.0);
        command
    }

    /// Installs what its lock file names.
    ///
    /// # Errors
    ///
    /// When npm fails.
    pub(crate) fn install(self) -> anyhow::Result<()> {
        process::run(
            self.npm()
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]),
        )
    }
}

fn check() -> anyhow::Result<()> {
    if process::on_path("node").is_none() || process::on_path("npm").is_none() {
        bail!("the tests need `node` and `npm`: {HOW_TO_INSTALL}");
    }
    let version = process::output_of(Command::new("node").arg("--version"))?;
    if major(&version).is_none_or(|major| major < OLDEST_MAJOR) {
        bail!("Node {version} is too old for the tests: {HOW_TO_INSTALL}");
    }
    println!("Node {version}");
    Ok(())
}

/// The 20 of `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_node_prints() {
        assert_eq!(major("v20.11.1"), Some(20));
        assert_eq!(major("v8.0.0"), Some(8));
        assert_eq!(major("20"), None);
        assert_eq!(major(""), None);
    }
}
