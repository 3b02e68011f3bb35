//! The Rust tests: plain, with `PostgreSQL`, and each library crate by itself.
//!
//! A module of tests that needs `PostgreSQL` stands behind the feature `needs-postgres` in the `main.rs` of its
//! binary, and reads `TEST_DATABASE_URL`; one that needs `PgBouncer` before it stands behind `needs-pgbouncer`.
//! Tests that need recorded answers of real services stand behind the feature `needs-recordings`, and read
//! `PATTER_RECORDINGS`. Plain `cargo test` leaves all of them out.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::{Context, ensure};

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
    PostgresTests::find(metadata)?;
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
    let tests = PostgresTests::find(metadata)?;
    let mut command = cargo_test_with_postgres(metadata);
    for binary in tests.binaries {
        command.args(["--test", binary]);
    }
    command.arg("--").args(tests.modules);
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

/// Where the tests are that need `PostgreSQL`.
#[derive(Debug, Default, PartialEq, Eq)]
struct PostgresTests<'a> {
    /// The names of the test binaries that have such tests.
    binaries: BTreeSet<&'a str>,
    /// What stands in the paths of these tests alone: binaries of other crates have the same names.
    modules: BTreeSet<String>,
}

impl<'a> PostgresTests<'a> {
    /// # Errors
    ///
    /// When there is none, or the source of a test binary cannot be read.
    fn find(metadata: &'a Metadata) -> anyhow::Result<Self> {
        let targets = metadata.packages.iter().flat_map(|it| &it.targets);
        let mut tests = Self::default();
        for target in targets.filter(|it| it.kind.iter().any(|kind| kind == "test")) {
            let source = fs::read_to_string(&target.src_path)
                .with_context(|| format!("could not read `{}`", target.src_path.display()))?;
            tests.add(&target.name, &source);
        }
        ensure!(
            !tests.modules.is_empty(),
            "no test binary has a module behind `{NEEDS_POSTGRES}`: the PostgreSQL tests are missing"
        );
        Ok(tests)
    }

    /// Adds what the main file of a test binary names.
    fn add(&mut self, binary: &'a str, source: &str) {
        let lines: Vec<_> = source.lines().collect();
        for pair in lines.windows(2) {
            if let [feature, module] = pair
                && [NEEDS_POSTGRES, NEEDS_PGBOUNCER]
                    .iter()
                    .any(|name| *feature == format!("#[cfg(feature = \"{name}\")]"))
                && let Some(module) = module.strip_prefix("mod ")
                && let Some(module) = module.strip_suffix(';')
            {
                self.binaries.insert(binary);
                self.modules.insert(format!("{module}::"));
            }
        }
    }
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
        let mut tests = PostgresTests::default();
        tests.add(
            "it",
            "mod a;\n#[cfg(feature = \"needs-postgres\")]\nmod b;\n#[cfg(feature = \"sqlite\")]\nmod c;\n",
        );
        tests.add("other", "mod d;\n");
        tests.add("more", "#[cfg(feature = \"needs-pgbouncer\")]\nmod e;\n");
        let modules = ["b::", "e::"].map(str::to_owned);
        let expected = PostgresTests {
            binaries: BTreeSet::from(["it", "more"]),
            modules: BTreeSet::from(modules),
        };
        assert_eq!(tests, expected);
        assert_eq!(
            features(&workspace(""), NEEDS_POSTGRES),
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
        let workspace = workspace(r#"{"name": "other", "kind": ["lib"], "src_path": "none"}"#);
        let error = PostgresTests::find(&workspace).unwrap_err().to_string();
        assert!(
            error.contains("the PostgreSQL tests are missing"),
            "{error}"
        );
    }
}
