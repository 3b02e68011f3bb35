//! The Rust tests: plain, with `PostgreSQL`, and each library crate by itself.
//!
//! A file of tests that needs `PostgreSQL` names the feature `needs-postgres` among its
//! `required-features`, and reads `TEST_DATABASE_URL`. Plain `cargo test` leaves it out.

use std::process::Command;

use anyhow::ensure;

use crate::{
    metadata::Metadata,
    phase::phase,
    postgres::{self, Postgres},
    process,
};

const NEEDS_POSTGRES: &str = "needs-postgres";

/// The crates that others embed, each of which must build by itself.
const LIBRARIES: [&str; 5] = [
    "patter-protocol",
    "patter-llm",
    "patter-tools",
    "patter-store",
    "patter-session",
];

/// Every Rust test there is.
///
/// # Errors
///
/// When a test fails, or no test needs `PostgreSQL`: the convention is broken then.
pub(super) fn all(metadata: &Metadata, postgres: &Postgres) -> anyhow::Result<()> {
    postgres_targets(metadata)?;
    process::run(&mut cargo_test_on(postgres, metadata))
}

/// The tests that need nothing but Rust.
///
/// # Errors
///
/// When a test fails.
pub(super) fn plain() -> anyhow::Result<()> {
    process::run(&mut cargo_test())
}

/// The tests that need `PostgreSQL`, without the others.
///
/// # Errors
///
/// When a test fails, or there is none.
pub(super) fn only_postgres(metadata: &Metadata, postgres: &Postgres) -> anyhow::Result<()> {
    let targets = postgres_targets(metadata)?;
    let mut command = cargo_test_on(postgres, metadata);
    for target in targets {
        command.args(["--test", target]);
    }
    process::run(&mut command)
}

/// Builds each library crate and its tests without default features and without its neighbours:
/// in the workspace, one crate's features can hide what another forgot to ask for.
///
/// # Errors
///
/// When one does not build.
pub(super) fn each_library_alone() -> anyhow::Result<()> {
    for library in LIBRARIES {
        phase(&format!("{library} alone, no default features"), || {
            // The library as a dependent builds it: without what its tests add.
            process::run(&mut cargo_alone("check", library))?;
            process::run(cargo_alone("test", library).arg("--no-run"))
        })?;
    }
    Ok(())
}

fn cargo_alone(subcommand: &str, package: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args([
        subcommand,
        "--quiet",
        "--package",
        package,
        "--no-default-features",
    ]);
    command
}

/// The whole workspace, with the page that needs no Node.
fn cargo_test() -> Command {
    let mut command = Command::new("cargo");
    command
        .args(["test", "--quiet", "--workspace"])
        .env("PATTER_WEB", "plain");
    command
}

/// The whole workspace, with the tests that need `PostgreSQL`.
fn cargo_test_on(postgres: &Postgres, metadata: &Metadata) -> Command {
    let mut command = cargo_test();
    command
        .args(postgres_features(metadata))
        .env(postgres::URL_VARIABLE, postgres.url());
    command
}

/// `--features` for every crate that has tests which need `PostgreSQL`.
fn postgres_features(metadata: &Metadata) -> [String; 2] {
    let features: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| package.features.contains_key(NEEDS_POSTGRES))
        .map(|package| format!("{}/{NEEDS_POSTGRES}", package.name))
        .collect();
    ["--features".to_owned(), features.join(",")]
}

/// The names of the test files that need `PostgreSQL`; none is an error.
fn postgres_targets(metadata: &Metadata) -> anyhow::Result<Vec<&str>> {
    let targets: Vec<_> = metadata
        .packages
        .iter()
        .flat_map(|package| &package.targets)
        .filter(|target| {
            target
                .required_features
                .iter()
                .any(|name| name == NEEDS_POSTGRES)
        })
        .map(|target| target.name.as_str())
        .collect();
    ensure!(
        !targets.is_empty(),
        "no test target has `required-features = [\"{NEEDS_POSTGRES}\"]`: the PostgreSQL tests are missing"
    );
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(targets: &str) -> Metadata {
        let text = format!(
            r#"{{"target_directory": "target", "packages": [
                {{"name": "patter-store", "dependencies": [], "targets": [{targets}],
                  "features": {{"needs-postgres": []}}}},
                {{"name": "patter-llm", "dependencies": [], "targets": [], "features": {{}}}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_tests_that_need_postgres_are_found_by_their_feature() {
        let metadata = workspace(
            r#"{"name": "on_postgres", "required-features": ["needs-postgres"]}, {"name": "other"}"#,
        );
        assert_eq!(postgres_targets(&metadata).unwrap(), ["on_postgres"]);
        assert_eq!(
            postgres_features(&metadata),
            ["--features", "patter-store/needs-postgres"]
        );
    }

    #[test]
    fn a_workspace_without_postgres_tests_is_an_error() {
        let error = postgres_targets(&workspace(r#"{"name": "other"}"#))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the PostgreSQL tests are missing"),
            "{error}"
        );
    }
}
