//! Child processes: start them, wait for them, and say what went wrong by the command's own name.

use std::{
    ffi::OsStr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, bail};

/// Runs a command to its end, its output going to the terminal.
///
/// # Errors
///
/// When it cannot be started, or ends with anything but success.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start `{}`", show(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", show(command));
    }
    Ok(())
}

/// Runs a command to its end and returns what it wrote to standard output, trimmed.
///
/// # Errors
///
/// When it cannot be started, or fails: the error then holds what it wrote to standard error.
pub(crate) fn output_of(command: &mut Command) -> anyhow::Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .with_context(|| format!("could not start `{}`", show(command)))?;
    if !status.success() {
        let said = String::from_utf8_lossy(&stderr);
        bail!("`{}` failed ({status}): {}", show(command), said.trim());
    }
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}

/// The file that a command name stands for on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// Whether a path is a file that may be executed by somebody.
pub(crate) fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    output_of(Command::new("id").arg("-u")).is_ok_and(|uid| uid == "0")
}

/// The command as one would type it. Variables set for it are left out: they may hold passwords.
fn show(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_an_error_that_names_it_and_what_it_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such luck >&2; exit 3"]);
        let error = output_of(&mut command).unwrap_err().to_string();
        assert!(error.starts_with("`sh -c echo no such luck"), "{error}");
        assert!(error.ends_with("no such luck"), "{error}");
    }

    #[test]
    fn a_command_that_is_not_there_is_an_error() {
        let error = run(&mut Command::new("no-such-command-anywhere"))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "could not start `no-such-command-anywhere`");
    }

    #[test]
    fn a_name_is_found_on_the_path_only_if_it_is_a_program() {
        assert!(on_path("sh").is_some());
        assert_eq!(on_path("no-such-command-anywhere"), None);
        assert!(!is_executable(Path::new("/")));
    }
}
