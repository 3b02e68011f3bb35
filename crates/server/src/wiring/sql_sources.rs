//! Queries of databases, each as a tool.

use patter_store::{PostgresOptions, PostgresQuery};
use patter_tools::{ToolPolicy, ToolRegistry};

use crate::config::{Config, SqlSourceConfig};
use crate::error::ServerError;
use crate::sql_source::SqlSource;

/// Of one source, in one process.
const MAX_CONNECTIONS: u32 = 4;
/// Of JSON, so that what stands around it has room in a result.
const MAX_BYTES: usize = 200 * 1024;

/// Adds the tools.
pub(super) fn add(config: &Config, tools: &ToolRegistry) -> Result<(), ServerError> {
    for (name, source) in &config.sql_sources {
        let failed = |why: String| ServerError::DataSource {
            name: name.clone(),
            source: why.into(),
        };
        let query = query(source, config.store.allow_plain_text).map_err(failed)?;
        let policy = ToolPolicy {
            approval: Some(source.approval),
            ..ToolPolicy::default()
        };
        tools.add_policy(name, policy);
        tools.add(SqlSource::new(
            name,
            &source.description,
            &source.parameters,
            query,
        ))?;
    }
    Ok(())
}

fn query(source: &SqlSourceConfig, allow_plain_text: bool) -> Result<PostgresQuery, String> {
    let Some(database) = &source.database else {
        let variable = &source.database_env;
        return Err(format!(
            "the variable {variable} (`database_env`) is not set"
        ));
    };
    let mut options = PostgresOptions::new(database.clone());
    options.max_connections = MAX_CONNECTIONS;
    options.statement_timeout = source.timeout;
    options.allow_plain_text = allow_plain_text;
    let names = source.parameters.keys().cloned();
    let query = PostgresQuery::new(&options, &source.query, names, source.max_rows, MAX_BYTES);
    let query = query.map_err(|error| error.to_string())?;
    let is_used = |name: &&String| query.parameters().contains(name);
    match source.parameters.keys().find(|name| !is_used(name)) {
        Some(name) => Err(format!("the parameter `{name}` has no place in the query")),
        None => Ok(query),
    }
}
