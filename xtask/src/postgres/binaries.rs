//! Where the programs of a `PostgreSQL` server are installed.
//!
//! Debian and others keep them off `PATH`, one folder for each major version.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::process;

/// A folder that holds `initdb`, `postgres` and `pg_ctl`.
#[derive(Debug)]
pub(super) struct Binaries {
    folder: PathBuf,
}

/// Folders that hold one folder for each version: the part before the version and after it.
const VERSIONED: [(&str, &str, &str); 4] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

impl Binaries {
    /// The programs on `PATH`, else the newest version where packages put them.
    pub(super) fn find() -> Option<Self> {
        let on_path = process::on_path("initdb").and_then(|file| file.parent().map(PathBuf::from));
        let elsewhere = VERSIONED
            .iter()
            .flat_map(|(parent, prefix, rest)| newest_first(Path::new(parent), prefix, rest));
        on_path
            .into_iter()
            .chain(elsewhere)
            .find(|folder| {
                ["initdb", "postgres", "pg_ctl"]
                    .iter()
                    .all(|name| process::is_executable(&folder.join(name)))
            })
            .map(|folder| Self { folder })
    }

    /// One of the programs, ready for its arguments.
    pub(super) fn command(&self, program: &str) -> Command {
        Command::new(self.folder.join(program))
    }
}

/// The folders `parent/prefix<version>/rest`, the highest version first.
fn newest_first(parent: &Path, prefix: &str, rest: &str) -> Vec<PathBuf> {
    let Ok(entries) = parent.read_dir() else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join(rest)))
        })
        .collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers_and_other_folders_left_out() {
        let parent = std::env::temp_dir().join(format!("xtask-versions-{}", std::process::id()));
        for name in ["pg-9", "pg-17", "pg-16", "pg-common", "other"] {
            std::fs::create_dir_all(parent.join(name)).unwrap();
        }
        let found = newest_first(&parent, "pg-", "bin");
        std::fs::remove_dir_all(&parent).unwrap();
        let expected = ["pg-17/bin", "pg-16/bin", "pg-9/bin"].map(|name| parent.join(name));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_folder_that_is_not_there_holds_no_version() {
        assert!(newest_first(Path::new("/no/such/folder"), "", "bin").is_empty());
    }
}
