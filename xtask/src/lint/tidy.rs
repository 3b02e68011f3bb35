//! The house rules that no other tool checks, over every file that git tracks or would track.

mod manifest;
mod source;

use std::{fs, path::Path, process::Command};

use anyhow::{Context, bail};

use crate::process;

/// Looks at every file.
///
/// # Errors
///
/// When a rule is broken (every case is listed), or the files cannot be read.
pub(super) fn check() -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for path in files()? {
        let bytes = fs::read(&path).with_context(|| format!("could not read `{path}`"))?;
        // What is not text (a picture, a recording cut inside a character) has no lines to check.
        if let Ok(text) = std::str::from_utf8(&bytes) {
            faults.extend(check_file(&path, text));
        }
    }
    if !faults.is_empty() {
        bail!("{} untidy places:\n{}", faults.len(), faults.join("\n"));
    }
    Ok(())
}

/// What is wrong with one file, each with the path in front.
fn check_file(path: &str, text: &str) -> Vec<String> {
    let mut faults = source::faults(path, text);
    faults.extend(machine_paths(text));
    if let Some(folder) = crate_of_manifest(path) {
        faults.extend(manifest::faults(text));
        if !Path::new(folder).join("README.md").exists() {
            faults.push("the crate has no README.md beside this manifest".to_owned());
        }
    }
    faults
        .into_iter()
        .map(|fault| format!("{path}: {fault}"))
        .collect()
}

/// The folder of a crate under `crates/`, if the path is its manifest.
fn crate_of_manifest(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("/Cargo.toml")?;
    folder.starts_with("crates/").then_some(folder)
}

/// Where people and machines keep their own files; put together here, so that this file is clean.
const HOME_FOLDERS: [&str; 3] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
];

/// Lines that hold the path of somebody's own folder: nobody else has it.
fn machine_paths(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for folder in HOME_FOLDERS {
            if line
                .match_indices(folder)
                .any(|(at, _)| starts_a_path(line, at))
            {
                faults.push(format!(
                    "line {}: `{folder}` is a path of one machine",
                    index + 1
                ));
            }
        }
    }
    faults
}

/// Whether the slash at this place begins a path, and is not inside one or inside a URL.
fn starts_a_path(line: &str, at: usize) -> bool {
    let before = line.get(..at).and_then(|text| text.chars().next_back());
    !before.is_some_and(|c| c.is_alphanumeric() || "/._-~}".contains(c))
}

/// Every file of the repository that is tracked, or new and not ignored.
///
/// # Errors
///
/// When git does not say.
pub(crate) fn files() -> anyhow::Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let list = process::output_of(&mut git)?;
    // A file that was deleted and not yet committed is still listed.
    Ok(list
        .lines()
        .filter(|path| Path::new(path).is_file())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        let line = format!("let file = \"{}ann/notes\";", HOME_FOLDERS[0]);
        assert_eq!(machine_paths(&line).len(), 1);
    }

    #[test]
    fn the_same_words_inside_a_url_or_a_longer_path_are_fine() {
        let folder = HOME_FOLDERS[0];
        assert!(machine_paths(&format!("https://example.com{folder}page")).is_empty());
        assert!(machine_paths(&format!("web{folder}page.ts")).is_empty());
    }

    #[test]
    fn only_crates_under_crates_need_what_a_published_crate_needs() {
        assert_eq!(
            crate_of_manifest("crates/llm/Cargo.toml"),
            Some("crates/llm")
        );
        assert_eq!(crate_of_manifest("Cargo.toml"), None);
        assert_eq!(crate_of_manifest("xtask/Cargo.toml"), None);
    }
}
