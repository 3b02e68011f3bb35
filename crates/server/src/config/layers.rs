//! Gathers the values of all layers; a later layer overwrites an earlier one. Values are not
//! checked here, but that their keys exist is.

mod dot_env;
mod file;
mod variables;

use std::path::PathBuf;

pub(super) use variables::Variables;

use super::fault::Fault;
use super::key::variable_of;
use super::lookup;
use super::sources::Sources;
use super::value::{Given, Origin, Value, Values};

/// What the layers hold together.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// The value in force for each path that has one.
    pub(super) values: Values,
    /// Every variable of `.env` and, before that, of the environment.
    pub(super) variables: Variables,
    /// What cannot be read, and keys that do not exist.
    pub(super) faults: Vec<Fault>,
}

/// Reads all layers.
pub(super) fn read(sources: &Sources) -> Layers {
    let mut layers = Layers::default();
    for key in lookup::all().filter(|key| !key.is_pattern()) {
        if let Some(default) = key.default {
            layers.give(
                key.path.into(),
                Value::Text(default.into()),
                Origin::Default,
            );
        }
    }
    if let Some(path) = configuration_file(sources) {
        file::read(&path, &mut layers);
    }
    if let Some(path) = in_directory(sources, ".env") {
        dot_env::read(&path, &mut layers);
    }
    variables::read_environment(&sources.environment, &mut layers);
    for given in &sources.flags {
        let origin = Origin::Flag(given.flag.clone());
        layers.give_known(&given.path, Value::Text(given.text.clone()), origin);
    }
    layers
}

fn configuration_file(sources: &Sources) -> Option<PathBuf> {
    sources
        .file
        .clone()
        .or_else(|| in_directory(sources, "patter.toml"))
}

/// A file that is read if it is there. A folder of that name is something else's.
fn in_directory(sources: &Sources, name: &str) -> Option<PathBuf> {
    let path = sources.directory.as_ref()?.join(name);
    (path.exists() && !path.is_dir()).then_some(path)
}

impl Layers {
    fn give(&mut self, path: String, value: Value, origin: Origin) {
        self.values.insert(path, Given { value, origin });
    }

    /// Gives the key at `path` a value, or notes that there is no such key.
    fn give_known(&mut self, path: &str, value: Value, origin: Origin) {
        if lookup::find(path).is_some() {
            self.give(path.to_owned(), value, origin);
        } else {
            self.faults.push(unknown(path, origin));
        }
    }

    fn unreadable(&mut self, subject: String, origin: Option<Origin>, problem: String) {
        self.faults.push(Fault {
            subject,
            value: None,
            origin,
            problem,
        });
    }
}

/// There is no such key. Its value is not shown: it may be a secret under a misspelt name.
fn unknown(path: &str, origin: Origin) -> Fault {
    let is_variable = matches!(origin, Origin::Environment { .. } | Origin::DotEnv { .. });
    let name_of = |path: &str| {
        if is_variable {
            variable_of(path)
        } else {
            path.to_owned()
        }
    };
    let problem = match lookup::first_within(path) {
        Some(inner) => format!(
            "this is a table; the value belongs to a key in it, such as `{}`",
            name_of(&inner)
        ),
        None => no_such_key(lookup::nearest(path).as_deref().map(name_of)),
    };
    fault_of(path, origin, problem)
}

/// There is no such table, which only a file can have.
fn unknown_table(path: &str, origin: Origin) -> Fault {
    fault_of(path, origin, no_such_key(lookup::nearest_table(path)))
}

fn no_such_key(meant: Option<String>) -> String {
    match meant {
        Some(meant) => format!("there is no such key; did you mean `{meant}`?"),
        None => "there is no such key; docs/configuration.md lists them all".to_owned(),
    }
}

fn fault_of(path: &str, origin: Origin, problem: String) -> Fault {
    Fault {
        subject: super::mask::shorten(path),
        value: None,
        origin: Some(origin),
        problem,
    }
}
