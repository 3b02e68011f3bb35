//! Recorded answers of real services, which are no part of the repository: where they are.

use std::path::PathBuf;

use anyhow::{Context, ensure};

/// The variable that names their folder, for xtask and for the tests it starts.
pub(crate) const FOLDER_VARIABLE: &str = "PATTER_RECORDINGS";

/// The folder that `PATTER_RECORDINGS` names, as an absolute path: tests run in the folders of their
/// crates. `None` where it names none; fixtures stand for the recordings then.
///
/// # Errors
///
/// When it names something that is no folder.
pub(crate) fn find() -> anyhow::Result<Option<PathBuf>> {
    // Set to nothing counts as not set, as everywhere else.
    let Some(name) = std::env::var_os(FOLDER_VARIABLE).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let folder = std::path::absolute(&name)
        .with_context(|| format!("could not find out where {FOLDER_VARIABLE} leads"))?;
    ensure!(
        folder.is_dir(),
        "{FOLDER_VARIABLE} names `{}`, which is no folder",
        folder.display()
    );
    println!("recordings: {}", folder.display());
    Ok(Some(folder))
}
