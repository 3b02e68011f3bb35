//! The configuration file, which is TOML.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::lookup;
use super::super::value::{Origin, Value};
use super::{Layers, unknown_table};

/// Reads the values of the file into the layers.
pub(super) fn read(path: &Path, layers: &mut Layers) {
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return layers.unreadable(name, None, format!("the file cannot be read: {error}"));
        }
    };
    let file = File { name, text: &text };
    match DeTable::parse(file.text) {
        Ok(table) => file.read_table(table.get_ref(), "", layers),
        Err(error) => {
            // The parser's long form would quote the line, which may hold a secret.
            let origin = file.origin(error.span().map_or(0, |span| span.start));
            let problem = format!("the file is not TOML: {}", error.message());
            layers.unreadable(file.name.clone(), Some(origin), problem);
        }
    }
}

struct File<'a> {
    name: String,
    text: &'a str,
}

impl File<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(offset);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        let name = Path::new(&self.name).file_name().map_or_else(
            || self.name.clone(),
            |name| name.to_string_lossy().into_owned(),
        );
        Origin::File { name, line }
    }

    fn read_table(&self, table: &DeTable<'_>, above: &str, layers: &mut Layers) {
        for (key, value) in table {
            let segment = key.get_ref();
            let path = if above.is_empty() {
                segment.to_string()
            } else {
                format!("{above}.{segment}")
            };
            let origin = self.origin(key.span().start);
            match value.get_ref() {
                shape if lookup::lists().contains(path.as_str()) => {
                    self.read_list(shape, &path, &origin, layers);
                }
                DeValue::Table(inner) if lookup::is_table(&path) => {
                    self.read_table(inner, &path, layers);
                }
                shape if has_tables(shape) && !lookup::is_known(&path) => {
                    layers.faults.push(unknown_table(&path, origin));
                }
                _ => layers.give_known(&path, plain(value), origin),
            }
        }
    }

    /// Reads a list of tables: the keys of the first one stand under `routes.0`.
    fn read_list(&self, list: &DeValue<'_>, path: &str, origin: &Origin, layers: &mut Layers) {
        let no_list = |layers: &mut Layers, path: String, origin: Origin| {
            let problem = format!("expected tables that begin with [[{path}]]");
            layers.unreadable(path, Some(origin), problem);
        };
        let DeValue::Array(items) = list else {
            return no_list(layers, path.to_owned(), origin.clone());
        };
        for (index, item) in items.iter().enumerate() {
            let origin = self.origin(item.span().start);
            match item.get_ref() {
                DeValue::Table(table) if table.is_empty() => {
                    let problem = "there is nothing in this table".to_owned();
                    layers.unreadable(format!("{path}.{index}"), Some(origin), problem);
                }
                DeValue::Table(table) => {
                    self.read_table(table, &format!("{path}.{index}"), layers);
                }
                _ => return no_list(layers, path.to_owned(), origin),
            }
        }
    }
}

/// Whether this is a `[table]`, or a `[[list]]` of them.
fn has_tables(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(items) => {
            let mut items = items.iter();
            items.any(|item| matches!(item.get_ref(), DeValue::Table(_)))
        }
        _ => false,
    }
}

fn plain(value: &Spanned<DeValue<'_>>) -> Value {
    let list =
        |items: &toml::de::DeArray<'_>| items.iter().map(|item| text(item.get_ref())).collect();
    match value.get_ref() {
        DeValue::Array(items) => {
            let items: Option<Vec<String>> = list(items);
            items.map_or(Value::Other("array"), Value::List)
        }
        scalar => text(scalar).map_or(Value::Other("table"), Value::Text),
    }
}

fn text(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => return None,
    })
}
