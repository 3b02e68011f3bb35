//! The real binary against servers that others wrote: `interop/`.

use crate::{metadata::Metadata, node::Package, patter, phase::phase, process};

const PACKAGE: Package = Package("interop");

/// Builds the binary, then talks to each server through it.
///
/// # Errors
///
/// When the binary does not build, the packages cannot be installed, or a test fails.
pub(super) fn run(metadata: &Metadata) -> anyhow::Result<()> {
    phase("build patter", patter::build)?;
    phase("install the servers of others", || PACKAGE.install())?;
    phase("tests against the servers of others", || {
        let mut command = PACKAGE.npm();
        process::run(
            command
                .arg("test")
                .env("PATTER_BIN", patter::binary(metadata)),
        )
    })
}
