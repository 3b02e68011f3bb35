//! `[[routes]]` and `[classifier]`: each leads to a model that can be asked, and the conditions can
//! be met.

use patter_llm::{Classifier, Demo, Route, Router};
use serde_json::Value as Json;

use super::super::routes::{ClassifierConfig, RouteConfig};
use super::lists::places;
use super::{Check, providers};

pub(super) fn check(check: &mut Check<'_>) {
    for place in places(check.layers, "routes") {
        let table = format!("routes.{place}");
        if !check.has(&format!("{table}.name")) {
            check.table_fault(&table, "`name` is missing".into());
        }
        check_provider(&format!("{table}.provider"), check);
        let offered = format!("{table}.offered");
        if check.has(&offered) && !check.is_given(&format!("{table}.metadata")) {
            let problem = "a route is chosen by its `metadata`, and this one asks for none";
            check.key_fault(&offered, problem.into());
        }
    }
    check_provider("classifier.provider", check);
    let has_labels = check.is_given("classifier.labels");
    if check.is_given("classifier") && !has_labels {
        let problem = "`labels` is missing: without labels nobody is asked";
        check.table_fault("classifier", problem.into());
    }
    check_conditions(check);
}

fn check_provider(path: &str, check: &mut Check<'_>) {
    if let Some(provider) = check.text(path)
        && let Some(problem) = providers::missing(check, provider)
    {
        check.key_fault(path, problem);
    }
}

/// Compiles the routes as the server will, only that they lead nowhere. Where a single value is
/// wrong or missing there is nothing to compile, and that was told.
fn check_conditions(check: &mut Check<'_>) {
    let routes = check.tree.get("routes").cloned();
    let routes = serde_json::from_value(routes.unwrap_or_else(|| Json::Array(Vec::new())));
    let classifier = check.tree.get("classifier").cloned().unwrap_or_default();
    let classifier = serde_json::from_value::<ClassifierConfig>(classifier);
    let (Ok(routes), Ok(classifier)) = (routes, classifier) else {
        return;
    };
    let routes: Vec<Route<RouteConfig>> = routes;
    let classifier = classifier
        .settings()
        .map(|settings| Classifier::new(Demo::new(), settings));
    let Err(error) = Router::new(routes, classifier) else {
        return;
    };
    for fault in error.faults {
        // `routes[0].words` is `routes.0.words` here.
        let path = fault.field.replace('[', ".").replace(']', "");
        if check.has(&path) {
            check.key_fault(&path, fault.problem);
        } else {
            check.table_fault(&path, fault.problem);
        }
    }
}
