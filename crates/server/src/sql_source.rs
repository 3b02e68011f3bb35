//! Rows of a database as a tool: one query, whose parameters a model chooses.

use std::collections::BTreeMap;

use async_trait::async_trait;
use patter_store::{PostgresQuery, StoreError};
use patter_tools::{Tool, ToolContext, ToolError, ToolSpec, text_parameters};
use serde_json::{Map, Value, json};

/// The result is `{"source", "rows", "cut"}`; the last says whether there were more rows than are allowed.
#[derive(Debug)]
pub(crate) struct SqlSource {
    spec: ToolSpec,
    query: PostgresQuery,
}

impl SqlSource {
    /// A source of this name. `parameters` are the names and descriptions of those of the query.
    pub(crate) fn new(
        name: &str,
        description: &str,
        parameters: &BTreeMap<String, String>,
        query: PostgresQuery,
    ) -> Self {
        Self {
            spec: ToolSpec {
                name: name.to_owned(),
                description: description.to_owned(),
                parameters: text_parameters::schema(parameters),
            },
            query,
        }
    }
}

#[async_trait]
impl Tool for SqlSource {
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
        let values = text_parameters::read(&arguments, &self.spec.parameters)?;
        if let Some((name, _)) = values.iter().find(|(_, value)| value.contains('\0')) {
            let why = format!("`{name}`: U+0000 is no text for a database");
            return Err(ToolError::InvalidArguments(why));
        }
        let value_of = |name: &str| values.get(name).cloned().unwrap_or_default();
        let answer = self.query.run(value_of).await.map_err(told)?;
        Ok(json!({ "source": self.spec.name, "rows": answer.rows, "cut": answer.is_cut }))
    }
}

/// What the database said about a value helps a model; about a query or a connection it helps nobody there.
fn told(error: StoreError) -> ToolError {
    match error {
        StoreError::Rejected(why) => {
            ToolError::InvalidArguments(format!("the database does not take it: {why}"))
        }
        StoreError::Unavailable(why) => {
            tracing::warn!(error = %why, "a data source is not available");
            ToolError::Failed(
                "the database is not available, or the query took too long".to_owned(),
            )
        }
        other => {
            tracing::error!(error = %other, "the query of a data source cannot be used");
            ToolError::Failed("the query of this source cannot be used".to_owned())
        }
    }
}
