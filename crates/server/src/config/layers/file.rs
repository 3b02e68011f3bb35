//! The configuration file, which is TOML.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::lookup;
use super::super::value::{Origin, Value};
use super::{Layers, unknown};

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
                DeValue::Table(inner) if lookup::is_table(&path) => {
                    self.read_table(inner, &path, layers);
                }
                DeValue::Table(_) if lookup::find(&path).is_none() => {
                    layers.faults.push(unknown(&path, origin));
                }
                _ => layers.give_known(&path, plain(value), origin),
            }
        }
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
