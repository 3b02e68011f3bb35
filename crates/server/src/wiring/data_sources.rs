//! Makes a tool of each data source of the configuration.

use std::error::Error;

use patter_tools::{FileSource, HttpSource, HttpSourceOptions, ToolPolicy, ToolRegistry};
use secrecy::ExposeSecret;

use crate::config::{Config, DataSourceConfig, SourceMethod};
use crate::error::ServerError;

/// What the URL of a file begins with.
const FILE: &str = "file:";

/// Adds the tools.
pub(super) fn add(config: &Config, tools: &ToolRegistry) -> Result<(), ServerError> {
    if config.data_sources.is_empty() {
        return Ok(());
    }
    let client = super::web_client(config)?;
    for (name, source) in &config.data_sources {
        let failed = |source: Box<dyn Error + Send + Sync>| ServerError::DataSource {
            name: name.clone(),
            source,
        };
        let policy = ToolPolicy {
            approval: Some(source.approval),
            ..ToolPolicy::default()
        };
        tools.add_policy(name, policy);
        if let (Some(variable), None) = (&source.secret_env, &source.secret) {
            let why = format!("the variable {variable} (`secret_env`) is not set");
            return Err(failed(why.into()));
        }
        if let Some(path) = source.url.strip_prefix(FILE) {
            let tool = FileSource::open(name, &source.description, path);
            tools.add(tool.map_err(|error| failed(error.into()))?)?;
        } else {
            let tool = HttpSource::new(name, options(source), client.clone());
            tools.add(tool.map_err(|error| failed(error.into()))?)?;
        }
    }
    Ok(())
}

fn options(source: &DataSourceConfig) -> HttpSourceOptions {
    let secret = source.secret.as_ref().map(|secret| {
        let secret = secret.expose_secret().to_owned();
        (source.secret_header.clone(), secret)
    });
    HttpSourceOptions {
        description: source.description.clone(),
        url: source.url.clone(),
        parameters: source.parameters.clone(),
        post: source.method == SourceMethod::Post,
        headers: secret.into_iter().collect(),
        pointer: source.pointer.clone(),
        cache: source.cache,
    }
}
