//! A file that is to be imported.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use patter_store::ImportedSession;

use crate::error::ServerError;
use crate::export;

/// Reads an export; of `-`, from stdin.
pub(super) fn read(path: &Path) -> Result<ImportedSession, ServerError> {
    let name = path.display().to_string();
    let bytes = contents(path).map_err(|source| ServerError::File {
        file: name.clone(),
        source,
    })?;
    export::read(&bytes).map_err(|source| ServerError::Import { file: name, source })
}

/// No more than is needed to see that it is too much.
fn contents(path: &Path) -> io::Result<Vec<u8>> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path)?)
    };
    let limit = u64::try_from(export::MAX_FILE_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    input
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
