//! Routes as the configuration has them.

use std::sync::Arc;

use patter_llm::{ChatModel, Classifier, Route, Router};
use patter_session::Plan;
use patter_tools::ToolRegistry;

use super::Models;
use crate::config::{Config, RouteConfig};
use crate::error::ServerError;

/// The routes of the server: each leads to its model, which has the fallbacks behind it.
///
/// # Errors
///
/// Where a model cannot be set up.
pub(crate) fn routes(
    config: &Config,
    models: &mut Models<'_>,
) -> Result<Router<Plan>, ServerError> {
    let classifier = match config.classifier_target() {
        // Alone: where it fails, `classifier.on_failure` says what happens.
        Some(target) => Some(models.model(&target)?),
        None => None,
    };
    router(config, classifier, |route| plan(config, route, models))
}

/// The routes, each with what `then` makes of where it leads.
///
/// # Errors
///
/// Where `then` fails. That the routes can be compiled was found out when the configuration was
/// read.
pub(crate) fn router<T>(
    config: &Config,
    classifier: Option<Arc<dyn ChatModel>>,
    mut then: impl FnMut(&RouteConfig) -> Result<T, ServerError>,
) -> Result<Router<T>, ServerError> {
    let mut routes = Vec::with_capacity(config.routes.len());
    for route in &config.routes {
        routes.push(Route {
            name: route.name.clone(),
            when: route.when.clone(),
            then: then(&route.then)?,
        });
    }
    let settings = config.classifier.settings();
    let classifier = classifier
        .zip(settings)
        .map(|(model, settings)| Classifier::new(model, settings));
    Ok(Router::new(routes, classifier)?)
}

/// Whether the tools that routes offer are there. An embedder may have added some, so this is known
/// only when the server runs.
///
/// # Errors
///
/// [`ServerError::UnknownTool`] for the first that is not.
pub(crate) fn check_tools(config: &Config, tools: &ToolRegistry) -> Result<(), ServerError> {
    for route in &config.routes {
        let mut offered = route.then.tools.iter().flatten();
        let is_missing = |tool: &&String| tools.get(tool).is_none() && !is_of_plugin(config, tool);
        if let Some(tool) = offered.find(is_missing) {
            return Err(ServerError::UnknownTool {
                route: route.name.clone(),
                tool: tool.clone(),
                known: tools.names().join(", "),
            });
        }
    }
    Ok(())
}

/// Whether a tool may come with a plug-in, which tells its tools only when it runs.
fn is_of_plugin(config: &Config, tool: &str) -> bool {
    let named = tool.split_once("__");
    named.is_some_and(|(server, _)| config.mcp.contains_key(server))
}

fn plan(
    config: &Config,
    route: &RouteConfig,
    models: &mut Models<'_>,
) -> Result<Plan, ServerError> {
    let RouteConfig {
        // For those who choose; whoever is chosen for does not care.
        offered: _,
        provider,
        model,
        system_prompt,
        tools,
        temperature,
        max_output_tokens,
    } = route;
    let leads_elsewhere = provider.is_some() || model.is_some();
    let target = config.route_target(route);
    let model = leads_elsewhere.then(|| models.with_fallbacks(&target));
    Ok(Plan {
        model: model.transpose()?,
        system_prompt: system_prompt.clone(),
        tools: tools.clone(),
        temperature: *temperature,
        max_output_tokens: *max_output_tokens,
    })
}
