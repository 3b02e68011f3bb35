//! Makes a tool of each data source of the configuration.

use std::error::Error;

use patter_tools::{
    FileSource, HttpSource, HttpSourceOptions, ToolRegistry, WebClient, WebLimits, WebRules,
};
use secrecy::ExposeSecret;

use crate::config::{Approval, Config, DataSourceConfig, SourceMethod};
use crate::error::ServerError;

/// What the URL of a file begins with.
const FILE: &str = "file:";

/// Adds the tools.
pub(super) fn add(config: &Config, tools: &mut ToolRegistry) -> Result<(), ServerError> {
    if config.data_sources.is_empty() {
        return Ok(());
    }
    let client = WebClient::new(rules(config), WebLimits::default()).map_err(ServerError::Web)?;
    for (name, source) in &config.data_sources {
        let failed = |source: Box<dyn Error + Send + Sync>| ServerError::DataSource {
            name: name.clone(),
            source,
        };
        if let (Some(variable), None) = (&source.secret_env, &source.secret) {
            let why = format!("the variable {variable} (`secret_env`) is not set");
            return Err(failed(why.into()));
        }
        if let Some(path) = source.url.strip_prefix(FILE) {
            let tool = FileSource::open(name, &source.description, path);
            let tool = tool.map_err(|error| failed(error.into()))?;
            tools.add(tool.needing_approval(needs_approval(source.approval, false)))?;
        } else {
            let tool = HttpSource::new(name, options(source), client.clone());
            tools.add(tool.map_err(|error| failed(error.into()))?)?;
        }
    }
    Ok(())
}

fn rules(config: &Config) -> WebRules {
    WebRules {
        only_hosts: config.web.hosts.clone(),
        trusted: config.web.trusted.clone(),
        ..WebRules::default()
    }
}

fn options(source: &DataSourceConfig) -> HttpSourceOptions {
    let secret = source.secret.as_ref().map(|secret| {
        let secret = secret.expose_secret().to_owned();
        (source.secret_header.clone(), secret)
    });
    let post = source.method == SourceMethod::Post;
    HttpSourceOptions {
        description: source.description.clone(),
        url: source.url.clone(),
        parameters: source.parameters.clone(),
        post,
        needs_approval: needs_approval(source.approval, post),
        headers: secret.into_iter().collect(),
        pointer: source.pointer.clone(),
        cache: source.cache,
    }
}

fn needs_approval(approval: Approval, writes: bool) -> bool {
    match approval {
        Approval::Never => false,
        Approval::Writes => writes,
        Approval::Always => true,
    }
}
