//! What a configuration is read from. Nothing is read from anywhere else, so that a test needs
//! neither files nor the environment of its process.

use std::ffi::OsString;
use std::path::PathBuf;

/// The places from which [`Config::load`](super::Config::load) reads.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) flags: Vec<FlagValue>,
}

/// A value from the command line.
#[derive(Debug, Clone)]
pub(crate) struct FlagValue {
    /// As it was typed, such as `--port`.
    pub(crate) flag: String,
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Sources {
    /// Built-in defaults and nothing else.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Looks for `patter.toml` and `.env` in this directory; neither must be there.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Reads this file, which must be there, instead of `patter.toml`.
    #[must_use]
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Takes these variables for the environment: [`std::env::vars_os`], or what a test likes.
    #[must_use]
    pub fn environment<N: Into<OsString>, T: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        self.environment = variables
            .into_iter()
            .map(|(name, text)| (name.into(), text.into()))
            .collect();
        self
    }

    /// Gives the key at `path` this value, which wins over all others, as `--set` does.
    #[must_use]
    pub fn set(self, path: impl Into<String>, text: impl Into<String>) -> Self {
        self.flag("--set", path, text)
    }

    pub(crate) fn flag(
        mut self,
        flag: impl Into<String>,
        path: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        self.flags.push(FlagValue {
            flag: flag.into(),
            path: path.into(),
            text: text.into(),
        });
        self
    }
}
