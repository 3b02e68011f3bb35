//! The real binary against servers that others wrote, and against its own documents by the tools of
//! others: `interop/`.

use std::path::Path;

use crate::{
    metadata::Metadata,
    node::Package,
    patter,
    phase::phase,
    postgres::{self, Postgres},
    process, python,
};

const PACKAGE: Package = Package("interop");
const REQUIREMENTS: &str = "interop/requirements.txt";

/// Builds the binary, then talks to each server through it.
///
/// # Errors
///
/// When the binary does not build, the packages cannot be installed, or a test fails.
pub(super) fn run(metadata: &Metadata, postgres: &Postgres) -> anyhow::Result<()> {
    phase("build patter", patter::build)?;
    let programs = phase("install the servers and tools of others", || {
        PACKAGE.install()?;
        let environment = metadata.target_directory.join("interop-python");
        python::install(Path::new(REQUIREMENTS), &environment)
    })?;
    phase("tests against the servers and tools of others", || {
        let mut command = PACKAGE.npm();
        process::run(
            command
                .arg("test")
                .env("PATTER_BIN", patter::binary(metadata))
                .env("PYTHON_PROGRAMS", programs)
                .env(postgres::URL_VARIABLE, postgres.url()),
        )
    })
}
