//! Data from a file: a tool that finds rows of a JSON or CSV file, which is read once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use crate::{Tool, ToolContext, ToolError, ToolSpec, arguments};

/// A larger file is no table that a model is given rows of.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Each column is an argument, and models are told of all of them.
const MAX_COLUMNS: usize = 64;
/// So many rows are given at a time.
const MAX_ROWS: usize = 50;

/// Why a file cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileSourceError {
    /// It cannot be read.
    #[error("cannot read `{}`", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// It is larger than 16 MiB, or has more than 64 columns.
    #[error("`{}` has more than {what}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// More than what.
        what: String,
    },
    /// It is not what its name says: CSV with a line of names, or a JSON array of objects.
    #[error("`{}` is no table: {why}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// See the [module](self). A model gives values of some columns, and gets the rows that have them, 50 at
/// the most: `{"source", "matches", "rows"}`. Values are compared as texts, whatever the case.
#[derive(Debug)]
pub struct FileSource {
    spec: ToolSpec,
    rows: Vec<Map<String, Value>>,
}

impl FileSource {
    /// Reads a file: `.csv` with a line of names first, anything else as a JSON array of objects.
    ///
    /// Blocks for as long as the file system does.
    ///
    /// # Errors
    ///
    /// [`FileSourceError`].
    pub fn open(
        name: impl Into<String>,
        description: impl Into<String>,
        path: impl AsRef<Path>,
    ) -> Result<Self, FileSourceError> {
        let path = path.as_ref();
        let bytes = read(path)?;
        let is_csv = path
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("csv"));
        let rows = if is_csv {
            csv_rows(&bytes)
        } else {
            json_rows(&bytes)
        };
        let rows = rows.map_err(|why| FileSourceError::Malformed {
            path: path.to_owned(),
            why,
        })?;
        let columns: BTreeSet<&String> = rows.iter().flat_map(Map::keys).collect();
        if columns.len() > MAX_COLUMNS {
            return Err(too_large(path, format!("{MAX_COLUMNS} columns")));
        }
        let spec = ToolSpec {
            name: name.into(),
            description: description.into(),
            parameters: schema(&columns),
        };
        Ok(Self { spec, rows })
    }
}

#[async_trait]
impl Tool for FileSource {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn checks_arguments(&self) -> bool {
        true
    }

    async fn call(
        &self,
        arguments: Map<String, Value>,
        _context: ToolContext,
    ) -> Result<Value, ToolError> {
        arguments::refuse_unknown(&arguments, &self.spec.parameters)?;
        let wanted = arguments
            .iter()
            .map(|(name, value)| (name, comparable(value)));
        let wanted: Vec<_> = wanted.collect();
        let has = |row: &&Map<String, Value>| {
            let mut wanted = wanted.iter();
            wanted.all(|(name, value)| row.get(*name).is_some_and(|it| comparable(it) == *value))
        };
        let matches: Vec<_> = self.rows.iter().filter(has).collect();
        let rows: Vec<_> = matches.iter().take(MAX_ROWS).collect();
        Ok(json!({ "source": self.spec.name, "matches": matches.len(), "rows": rows }))
    }
}

fn comparable(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_lowercase(),
        other => other.to_string(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FileSourceError> {
    let failed = |error| FileSourceError::Read(path.to_owned(), error);
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large(path, format!("{MAX_FILE_BYTES} bytes")));
    }
    Ok(bytes)
}

fn too_large(path: &Path, what: String) -> FileSourceError {
    FileSourceError::TooLarge {
        path: path.to_owned(),
        what,
    }
}

fn json_rows(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn csv_rows(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|error| error.to_string())?;
        let fields = names.iter().zip(record.iter());
        let fields = fields.map(|(name, value)| (name.to_owned(), Value::from(value)));
        Ok(fields.collect())
    };
    reader.records().map(row).collect()
}

fn schema(columns: &BTreeSet<&String>) -> Value {
    let property = |name: &&String| {
        let description = format!("Only rows whose {name} is this");
        (
            (*name).clone(),
            json!({ "type": "string", "description": description }),
        )
    };
    let properties: Map<String, Value> = columns.iter().map(property).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}
