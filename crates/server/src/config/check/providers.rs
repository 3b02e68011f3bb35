//! Providers: what each needs, and whether the chosen one has it.

use patter_llm::{Gemini, OpenAi};

use super::super::kind::{Kind, is_provider_name};
use super::super::provider::DEMO_MODEL;
use super::super::value::Value;
use super::{Check, names_under};
use crate::config::ModelName;

/// Names that `llm.provider` gives a meaning of its own.
const RESERVED: &[&str] = &["auto", "gemini", "openai", "demo"];

pub(super) fn check(check: &mut Check<'_>) {
    for name in names_under(&check.layers.values, "providers") {
        check_own(&name, check);
    }
    match check.text("llm.provider") {
        Some("auto") | None => {}
        Some(name) => {
            if let Some(problem) = missing(check, name) {
                check.key_fault("llm.provider", problem);
            }
        }
    }
}

fn check_own(name: &str, check: &mut Check<'_>) {
    let table = format!("providers.{name}");
    if RESERVED.contains(&name) {
        let taken = RESERVED.join(", ");
        check.table_fault(
            &table,
            format!("the name is taken; expected one that is not {taken}"),
        );
    } else if !is_provider_name(name) {
        let problem = "expected a name of small letters, digits, `_` and `-`";
        check.table_fault(&table, problem.into());
    }
    for needed in ["base_url", "model"] {
        if !check.has(&format!("{table}.{needed}")) {
            check.table_fault(&table, format!("`{needed}` is missing"));
        }
    }
    let kind = check.text(&format!("{table}.kind"));
    for (key, its_kind, other_kind) in [
        ("api", "openai", "gemini"),
        ("tool_schema", "gemini", "openai"),
    ] {
        let path = format!("{table}.{key}");
        if check.has(&path) && kind == Some(other_kind) {
            let problem = format!("only a provider of kind `{its_kind}` takes it");
            check.key_fault(&path, problem);
        }
    }
}

/// Why the provider cannot be asked, if it cannot.
pub(super) fn missing(check: &Check<'_>, name: &str) -> Option<String> {
    let has_any = |paths: &[&str]| paths.iter().any(|path| check.has(path));
    match name {
        "demo" => None,
        "gemini" if has_any(&["gemini.api_key"]) => None,
        "gemini" => Some("it has no key: set GEMINI_API_KEY or gemini.api_key".to_owned()),
        // A server that speaks OpenAI's API may want no key.
        "openai" if has_any(&["openai.api_key", "openai.base_url"]) => None,
        "openai" => Some("it has no key: set OPENAI_API_KEY or openai.api_key".to_owned()),
        // What is no name at all is a fault of the key itself.
        name if !is_provider_name(name) => None,
        name => missing_for_own(check, name),
    }
}

fn missing_for_own(check: &Check<'_>, name: &str) -> Option<String> {
    if let Some(problem) = unknown(check, name) {
        return Some(problem);
    }
    let named = &check.given(&format!("providers.{name}.api_key_env"))?.value;
    // What is no name of a variable is a fault of that key itself.
    Kind::VariableName.parse(named)?;
    let variable = named.to_string();
    match check.layers.variables.get(variable.trim()) {
        None => Some(format!(
            "its key is missing: the variable {variable} is not set"
        )),
        Some(key) if Kind::Secret.parse(&Value::Text(key.clone())).is_none() => Some(format!(
            "the variable {variable} holds no key: expected {}",
            Kind::Secret.expected()
        )),
        Some(_) => None,
    }
}

/// Says so where there is no provider of this name.
pub(super) fn unknown(check: &Check<'_>, name: &str) -> Option<String> {
    let known = names_under(&check.layers.values, "providers");
    if RESERVED.contains(&name) || known.contains(name) {
        return None;
    }
    // `auto` is no provider, and only one key takes it.
    let built_in = RESERVED.iter().copied().filter(|name| *name != "auto");
    let known: Vec<_> = built_in.chain(known.iter().map(String::as_str)).collect();
    Some(format!(
        "there is no [providers.{name}]; there are {}",
        known.join(", ")
    ))
}

/// The model that answers where nothing says otherwise, and its provider; see
/// [`Config::primary`](super::super::Config::primary).
pub(super) fn primary<'a>(check: &Check<'a>) -> Option<(&'a str, &'a str)> {
    let provider = match check.text("llm.provider")? {
        "auto" if check.has("gemini.api_key") => "gemini",
        "auto" if check.has("openai.api_key") => "openai",
        "auto" => "demo",
        name => name,
    };
    match check.text("llm.model") {
        Some(model) if provider != "demo" => Some((provider, model)),
        _ => Some((provider, default_model(check, provider)?)),
    }
}

/// The model that a name means, and its provider.
pub(super) fn meant<'a>(check: &Check<'a>, name: &'a ModelName) -> Option<(&'a str, &'a str)> {
    let provider = name.provider.as_str();
    match &name.model {
        Some(model) if provider != "demo" => Some((provider, model)),
        _ => Some((provider, default_model(check, provider)?)),
    }
}

fn default_model<'a>(check: &Check<'a>, provider: &str) -> Option<&'a str> {
    match provider {
        "gemini" => Some(Gemini::DEFAULT_MODEL),
        "openai" => Some(OpenAi::DEFAULT_MODEL),
        "demo" => Some(DEMO_MODEL),
        own => check.text(&format!("providers.{own}.model")),
    }
}
