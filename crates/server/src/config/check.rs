//! What is wrong between keys, rather than with one of them.
//!
//! Looks at the values as they were given rather than at the typed configuration: there is none
//! where a single value is wrong, and all faults are told at once.

mod admin;
mod auth;
mod data_sources;
mod fallbacks;
mod lists;
mod mcp;
mod models;
mod providers;
mod routes;
mod tls;

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Map, Value as Json};

use super::fault::Fault;
use super::layers::Layers;
use super::mask;
use super::value::{Given, Origin, Value, Values};

/// Every fault between keys.
pub(super) fn check(layers: &Layers, tree: &Map<String, Json>) -> Vec<Fault> {
    let mut check = Check {
        layers,
        tree,
        faults: Vec::new(),
    };
    lists::check(&mut check);
    providers::check(&mut check);
    fallbacks::check(&mut check);
    models::check(&mut check);
    routes::check(&mut check);
    data_sources::check(&mut check);
    mcp::check(&mut check);
    admin::check(&mut check);
    auth::check(&mut check);
    tls::check(&mut check);
    check.faults
}

/// Whether only this machine reaches what listens there.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The names that the user chose for the tables under this one: all NAME of `[providers.NAME]`.
pub(super) fn names_under(values: &Values, above: &str) -> BTreeSet<String> {
    let prefix = format!("{above}.");
    let inner = values.keys().filter_map(|path| path.strip_prefix(&prefix));
    inner
        .filter_map(|rest| rest.split_once('.'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The values, and what was found so far.
struct Check<'a> {
    layers: &'a Layers,
    /// The valid ones among them, in the form from which [`Config`](super::Config) is read.
    tree: &'a Map<String, Json>,
    faults: Vec<Fault>,
}

impl<'a> Check<'a> {
    fn given(&self, path: &str) -> Option<&'a Given> {
        self.layers.values.get(path)
    }

    fn has(&self, path: &str) -> bool {
        self.given(path).is_some()
    }

    /// Whether somebody set the key: a default is nobody's.
    fn is_set(&self, path: &str) -> bool {
        self.given(path)
            .is_some_and(|given| given.origin != Origin::Default)
    }

    /// Whether somebody set a key of the table.
    fn is_given(&self, table: &str) -> bool {
        self.origin_of_table(table).is_some()
    }

    /// What was written for the key; `None` where it is not set, or no text.
    fn text(&self, path: &str) -> Option<&'a str> {
        match &self.given(path)?.value {
            Value::Text(text) => Some(text.trim()),
            Value::List(_) | Value::Other(_) => None,
        }
    }

    /// What was written for a key that is a list; nothing where it is not set, or no list.
    fn items(&self, path: &str) -> Vec<&'a str> {
        let given = self.given(path);
        given.map(|given| given.value.items()).unwrap_or_default()
    }

    /// Something is wrong with the value of this key.
    fn key_fault(&mut self, path: &str, problem: String) {
        let given = self.given(path);
        self.faults.push(Fault {
            subject: path.to_owned(),
            value: given.map(|given| mask::shorten(&given.value.to_string())),
            origin: given.map(|given| given.origin.clone()),
            problem,
        });
    }

    /// The same of a value that must not be shown.
    fn secret_fault(&mut self, path: &str, problem: String) {
        self.faults.push(Fault {
            subject: path.to_owned(),
            value: Some(mask::MASK.to_owned()),
            origin: self.given(path).map(|given| given.origin.clone()),
            problem,
        });
    }

    /// Something is wrong with this table as a whole.
    fn table_fault(&mut self, table: &str, problem: String) {
        self.faults.push(Fault {
            subject: mask::shorten(table),
            value: None,
            origin: self.origin_of_table(table),
            problem,
        });
    }

    /// Where the first key of the table came from. A default says nothing about that.
    fn origin_of_table(&self, table: &str) -> Option<Origin> {
        let prefix = format!("{table}.");
        let given = self.layers.values.iter();
        let mut origins = given
            .filter(|(path, _)| path.starts_with(&prefix))
            .map(|(_, given)| &given.origin);
        origins.find(|origin| **origin != Origin::Default).cloned()
    }
}
