//! Plug-ins: servers of the Model Context Protocol that are kept running beside the server.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use patter_tools::{McpOptions, McpServer, McpState, McpTransport, ToolRegistry};
use secrecy::ExposeSecret;
use tokio::time::Instant;

use crate::config::{Config, McpConfig};
use crate::error::ServerError;

/// The plug-ins of a process.
#[derive(Debug, Default)]
pub(crate) struct Plugins {
    servers: Vec<McpServer>,
}

impl Plugins {
    /// Starts all that the configuration names; their tools join the registry as they come.
    ///
    /// # Errors
    ///
    /// [`ServerError::Plugin`] where a variable is missing. Nothing was started then.
    pub(crate) fn start(config: &Config, tools: &ToolRegistry) -> Result<Self, ServerError> {
        let mut all = Vec::with_capacity(config.mcp.len());
        for (name, server) in &config.mcp {
            all.push((name, options(name, server, config)?));
        }
        let start = |(name, options)| McpServer::start(name, options, tools.clone());
        Ok(Self {
            servers: all.into_iter().map(start).collect(),
        })
    }

    /// Waits until each has told its tools or failed, or the time is over. Gives those that are not up,
    /// and why.
    pub(crate) async fn settled(&self, within: Duration) -> Vec<(&str, McpState)> {
        let deadline = Instant::now() + within;
        let states = self.servers.iter().map(async |server| {
            let state = server.settled(deadline).await;
            (server.name(), state)
        });
        let states = join_all(states).await;
        states
            .into_iter()
            .filter(|(_, state)| *state != McpState::Up)
            .collect()
    }

    /// Ends all of them, at the same time.
    pub(crate) async fn shutdown(self) {
        join_all(self.servers.into_iter().map(McpServer::shutdown)).await;
    }
}

fn options(name: &str, server: &McpConfig, config: &Config) -> Result<McpOptions, ServerError> {
    let missing = |variable: &str| ServerError::Plugin {
        name: name.to_owned(),
        variable: variable.to_owned(),
    };
    let transport = match (&server.command, &server.url) {
        (Some(command), _) => {
            let is_missing = |it: &&String| !server.environment.contains_key(*it);
            if let Some(variable) = server.env.iter().find(is_missing) {
                return Err(missing(variable));
            }
            let variables = server.environment.iter();
            let variables =
                variables.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
            McpTransport::Process {
                program: command.clone(),
                arguments: server.args.clone(),
                environment: variables.collect(),
            }
        }
        (None, url) => {
            if let (Some(variable), None) = (&server.secret_env, &server.secret) {
                return Err(missing(variable));
            }
            let secret = server.secret.as_ref().map(|secret| {
                let secret = secret.expose_secret().to_owned();
                (server.secret_header.clone(), secret)
            });
            McpTransport::Http {
                // The configuration has checked that one of the two is there.
                url: url.clone().unwrap_or_default(),
                headers: BTreeMap::from_iter(secret),
                client: super::web_client(config)?,
            }
        }
    };
    Ok(McpOptions {
        transport,
        only: server.tools.clone(),
        policy: server.policy(),
    })
}
