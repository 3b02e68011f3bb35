//! Node and npm, for the tests of the page.

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

fn check() -> anyhow::Result<()> {
    if process::on_path("node").is_none() || process::on_path("npm").is_none() {
        bail!("the page's tests need `node` and `npm`: {HOW_TO_INSTALL}");
    }
    let version = process::output_of(Command::new("node").arg("--version"))?;
    if major(&version).is_none_or(|major| major < OLDEST_MAJOR) {
        bail!("Node {version} is too old for the page's tests: {HOW_TO_INSTALL}");
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
