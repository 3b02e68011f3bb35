//! The `.env` file. It is read, and never put into the environment of the process, which other
//! threads may be reading.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::value::Origin;
use super::{Layers, variables};

/// Reads the variables of the file into the layers.
pub(super) fn read(path: &Path, layers: &mut Layers) {
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return layers.unreadable(name, None, format!("the file cannot be read: {error}"));
        }
    };
    let text = text.trim_start_matches('\u{feff}');
    let mut found = BTreeMap::new();
    for variable in dotenvy::from_read_iter(text.as_bytes()) {
        match variable {
            Ok((name, value)) => {
                found.insert(name, value);
            }
            Err(dotenvy::Error::LineParse(line, _)) => {
                // The line itself is not shown: it may hold a secret.
                let number = text
                    .lines()
                    .position(|candidate| candidate.trim() == line.trim());
                let origin = number.map(|index| Origin::File {
                    name: ".env".into(),
                    line: index + 1,
                });
                layers.unreadable(
                    name.clone(),
                    origin,
                    "expected lines like NAME=value".into(),
                );
            }
            Err(error) => {
                return layers.unreadable(name, None, format!("the file cannot be read: {error}"));
            }
        }
    }
    variables::read(found, |variable| Origin::DotEnv { variable }, layers);
}
