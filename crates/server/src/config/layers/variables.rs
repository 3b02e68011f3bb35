//! Variables: `PATTER_...` for any key, and names that people have already.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::super::key::path_of;
use super::super::lookup;
use super::super::value::{Origin, Value};
use super::Layers;

/// Variables by name. Empty ones are left out: `NAME=` counts as not set.
pub(in super::super) type Variables = BTreeMap<String, String>;

/// Variables that begin as ours do and mean something else: how the page is built, and what the
/// tests of the project are told.
const NOT_KEYS: &[&str] = &["PATTER_BIN", "PATTER_RECORDINGS", "PATTER_WEB"];

/// Reads the environment into the layers. Variables that are not UTF-8 are faults if they would
/// have been read, and nobody's concern otherwise.
pub(super) fn read_environment(environment: &[(OsString, OsString)], layers: &mut Layers) {
    let mut found = BTreeMap::new();
    for (name, text) in environment {
        let Some(name) = name.to_str() else { continue };
        match text.to_str() {
            Some(text) => {
                found.insert(name.to_owned(), text.to_owned());
            }
            None if is_read(name) => {
                let origin = Origin::Environment {
                    variable: name.to_owned(),
                };
                layers.unreadable(name.to_owned(), Some(origin), "expected UTF-8".into());
            }
            None => {}
        }
    }
    read(found, |variable| Origin::Environment { variable }, layers);
}

/// Reads variables of one origin into the layers. Of several names for one key the `PATTER_` one
/// wins, then the first alias.
pub(super) fn read(mut found: Variables, origin: fn(String) -> Origin, layers: &mut Layers) {
    found.retain(|_, text| !text.trim().is_empty());
    for key in lookup::all() {
        for alias in key.aliases.iter().rev() {
            if let Some(text) = found.get(*alias) {
                let origin = origin((*alias).to_owned());
                layers.give(key.path.to_owned(), Value::Text(text.clone()), origin);
            }
        }
    }
    for (name, text) in &found {
        if let Some(path) = path_of(name)
            && !NOT_KEYS.contains(&name.as_str())
            && !is_service_link(name, text)
        {
            layers.give_known(&path, Value::Text(text.clone()), origin(name.clone()));
        }
    }
    layers.variables.extend(found);
}

fn is_read(name: &str) -> bool {
    (path_of(name).is_some() && !NOT_KEYS.contains(&name))
        || lookup::all().any(|key| key.aliases.contains(&name))
}

/// Whether Kubernetes made this variable: it tells every pod about each service, and one called
/// `patter` becomes `PATTER_SERVICE_HOST`, `PATTER_PORT=tcp://...`, `PATTER_PORT_80_TCP` and so on
/// (kubernetes.io, "Discovering services"). Two underscores stand in every key of ours.
fn is_service_link(name: &str, text: &str) -> bool {
    let is_about_a_port = name.ends_with("_PORT") && text.contains("://");
    let is_part_of_a_port = name
        .rsplit_once("_PORT_")
        .is_some_and(|(_, rest)| rest.starts_with(|first: char| first.is_ascii_digit()));
    let is_about_a_service = name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT");
    !name.contains("__") && (is_about_a_port || is_part_of_a_port || is_about_a_service)
}
