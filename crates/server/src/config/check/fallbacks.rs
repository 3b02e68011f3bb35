//! `llm.fallbacks`: each can be asked, and none is asked twice.

use super::super::model_name::ModelName;
use super::{Check, providers};

pub(super) fn check(check: &mut Check<'_>) {
    let names: Vec<_> = check
        .items("llm.fallbacks")
        .into_iter()
        // What is no name of a model is a fault of the key itself.
        .filter_map(ModelName::parse)
        .collect();
    let primary = providers::primary(check);
    let mut problems = Vec::new();
    let mut before = Vec::new();
    for name in &names {
        let meant = providers::meant(check, name);
        if let Some(problem) = providers::missing(check, &name.provider) {
            problems.push(format!("`{name}` cannot be asked: {problem}"));
        } else if meant.is_some() && meant == primary {
            problems.push(format!(
                "`{name}` is the model that answers anyway; leave it out"
            ));
        } else if meant.is_some() && before.contains(&meant) {
            problems.push(format!("`{name}` stands here before; leave it out"));
        }
        before.push(meant);
    }
    for problem in problems {
        check.key_fault("llm.fallbacks", problem);
    }
}
