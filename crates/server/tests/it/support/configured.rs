//! A configuration read from made-up files and variables.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails is a failed test"
)]

use patter_server::config::{Config, ConfigError, Fault, Origin, Sources};
use tempfile::TempDir;

pub(crate) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// A folder with a `patter.toml`.
pub(crate) fn file(text: &str) -> TempDir {
    directory(&[("patter.toml", text)])
}

pub(crate) fn with_variables(variables: &[(&str, &str)]) -> Sources {
    Sources::none().environment(variables.iter().copied())
}

pub(crate) fn load(sources: &Sources) -> Config {
    Config::load(sources).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn refused(sources: &Sources) -> ConfigError {
    match Config::load(sources) {
        Ok(config) => panic!("should be refused:\n{}", config.describe()),
        Err(error) => error,
    }
}

pub(crate) fn only_fault(sources: &Sources) -> Fault {
    let error = refused(sources);
    assert_eq!(error.faults.len(), 1, "{error}");
    error.faults.into_iter().next().unwrap()
}

pub(crate) fn origin_of(config: &Config, key: &str) -> Origin {
    let mut settings = config.settings().iter();
    settings
        .find(|setting| setting.key == key)
        .unwrap()
        .origin
        .clone()
}

pub(crate) fn shown(config: &Config, key: &str) -> Option<String> {
    config
        .settings()
        .iter()
        .find(|setting| setting.key == key)
        .unwrap()
        .value
        .clone()
}
