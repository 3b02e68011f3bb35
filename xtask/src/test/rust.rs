//! The Rust tests: plain, with `PostgreSQL`, and each library crate by itself.
//!
//! A file of tests that needs `PostgreSQL` names the feature `needs-postgres` among its
//! `required-features`, and reads `TEST_DATABASE_URL`; one that needs `PgBouncer` before it names
//! `needs-pgbouncer`. Tests that need recorded answers of real services stand behind the feature
//! `needs-recordings`, and read `PATTER_RECORDINGS`. Plain `cargo test` leaves all of them out.

use std::{path::Path, process::Command};

use anyhow::ensure;

use crate::{
    metadata::Metadata,
    phase::phase,
    postgres::{self, Postgres},
    process, recordings,
};

const NEEDS_POSTGRES: &str = "needs-postgres";
const NEEDS_PGBOUNCER: &str = "needs-pgbouncer";
const NEEDS_RECORDINGS: &str = "needs-recordings";

/// The crates that others embed, each of which must build by itself.
const LIBRARIES: [&str; 5] = [
    "patter-protocol",
    "patter-llm",
    "patter-tools",
    "patter-store",
    "patter-session",
];

/// Every Rust test there is, those that need recordings if there is a folder of them.
///
/// # Errors
///
/// When a test fails, or no test needs `PostgreSQL`: the convention is broken then.
pub(super) fn all(
    metadata: &Metadata,
    postgres: &Postgres,
    recordings: Option<&Path>,
) -> anyhow::Result<()> {
    postgres_targets(metadata)?;
    let mut command = cargo_test_everything(metadata, recordings);
    process::run(command.env(postgres::URL_VARIABLE, postgres.url()))
}

/// The tests that need nothing but Rust, and recordings if there is a folder of them.
///
/// # Errors
///
/// When a test fails.
pub(super) fn plain(metadata: &Metadata, recordings: Option<&Path>) -> anyhow::Result<()> {
    let mut command = cargo_test();
    add_recordings(&mut command, metadata, recordings);
    process::run(&mut command)
}

/// The tests that need `PostgreSQL`, without the others.
///
/// # Errors
///
/// When a test fails, or there is none.
pub(super) fn only_postgres(metadata: &Metadata, postgres: &Postgres) -> anyhow::Result<()> {
    let targets = postgres_targets(metadata)?;
    let mut command = cargo_test_with_postgres(metadata);
    for target in targets {
        command.args(["--test", target]);
    }
    process::run(command.env(postgres::URL_VARIABLE, postgres.url()))
}

/// Checks each library crate and its tests without default features and without its neighbours:
/// in the workspace, one crate's features can hide what another forgot to ask for.
///
/// # Errors
///
/// When one does not build.
pub(super) fn each_library_alone() -> anyhow::Result<()> {
    for library in LIBRARIES {
        phase(&format!("{library} alone, no default features"), || {
            // The library as a dependent builds it: without what its tests add.
            process::run(&mut check_alone(library))?;
            process::run(check_alone(library).arg("--tests"))
        })?;
    }
    Ok(())
}

fn check_alone(package: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args([
        "check",
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
fn cargo_test_with_postgres(metadata: &Metadata) -> Command {
    let mut command = cargo_test();
    command
        .args(features(metadata, NEEDS_POSTGRES))
        .args(features(metadata, NEEDS_PGBOUNCER));
    command
}

/// The whole workspace with all features that tests need. Whatever is built so shares what it is built of.
pub(crate) fn cargo_test_everything(metadata: &Metadata, recordings: Option<&Path>) -> Command {
    let mut command = cargo_test_with_postgres(metadata);
    add_recordings(&mut command, metadata, recordings);
    command
}

/// Adds the tests that need recordings, where there are some.
fn add_recordings(command: &mut Command, metadata: &Metadata, recordings: Option<&Path>) {
    if let Some(folder) = recordings {
        command
            .args(features(metadata, NEEDS_RECORDINGS))
            .env(recordings::FOLDER_VARIABLE, folder);
    }
}

/// `--features` for every crate that has this one.
fn features(metadata: &Metadata, feature: &str) -> [String; 2] {
    let features: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| package.features.contains_key(feature))
        .map(|package| format!("{}/{feature}", package.name))
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
                .any(|name| name == NEEDS_POSTGRES || name == NEEDS_PGBOUNCER)
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
            features(&metadata, NEEDS_POSTGRES),
            ["--features", "patter-store/needs-postgres"]
        );
    }

    #[test]
    fn the_tests_that_need_recordings_run_where_there_is_a_folder() {
        let mut metadata = workspace("");
        metadata.packages[1]
            .features
            .insert(NEEDS_RECORDINGS.to_owned(), Vec::new());
        let command_with = |recordings| {
            let mut command = Command::new("cargo");
            add_recordings(&mut command, &metadata, recordings);
            command
        };
        assert_eq!(command_with(None).get_args().count(), 0);
        let command = command_with(Some(Path::new("/here")));
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, ["--features", "patter-llm/needs-recordings"]);
        let variable = command.get_envs().next();
        let expected = ("PATTER_RECORDINGS".as_ref(), Some("/here".as_ref()));
        assert_eq!(variable, Some(expected));
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
