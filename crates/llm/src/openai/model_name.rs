//! What OpenAI's models are known to take, told by their names. A name that says nothing, such as
//! that of a deployment or of another maker's model, is taken for a current model of OpenAI.

use crate::effort::ReasoningEffort::{self, High, Low, Medium, Minimal, None as NoEffort, XHigh};

/// Major and minor version of a GPT, such as (5, 4) for `gpt-5.4-mini`.
pub(super) fn gpt_version(model: &str) -> Option<(u32, u32)> {
    let version = bare(model).strip_prefix("gpt-")?;
    let version = version.split('-').next().unwrap_or(version);
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Whether the model reasons. Those that do not refuse every word about it.
pub(super) fn reasons(model: &str) -> bool {
    let name = bare(model);
    !["gpt-3", "gpt-4", "chatgpt-", "gpt-5-chat"]
        .iter()
        .any(|family| name.starts_with(family))
}

/// Whether the model takes a temperature when it is to think this much, by default as its maker has
/// it: none does while it reasons.
pub(super) fn takes_temperature(model: &str, effort: Option<ReasoningEffort>) -> bool {
    if !reasons(model) {
        return true;
    }
    match (gpt_version(model), effort) {
        (Some((5, 0)), _) => false,
        (Some(_), Some(effort)) => effort == NoEffort,
        // Those from 5.1 to 5.4 reason only when told, later ones unless told not to.
        (Some(version), None) => version < (5, 5),
        (None, _) => !is_o_series(model),
    }
}

/// The effort that the model takes and that is nearest to the wanted one, rather above than below.
pub(super) fn nearest_effort(model: &str, wanted: ReasoningEffort) -> ReasoningEffort {
    let taken: &[ReasoningEffort] = match gpt_version(model) {
        Some((5, 0)) => &[Minimal, Low, Medium, High],
        Some((5, 1)) => &[NoEffort, Low, Medium, High],
        Some(_) => &[NoEffort, Low, Medium, High, XHigh],
        None if is_o_series(model) => &[Low, Medium, High],
        None => return wanted,
    };
    let above = taken.iter().find(|effort| **effort >= wanted);
    above.or(taken.last()).copied().unwrap_or(wanted)
}

/// `o1`, `o3-mini` and their like.
fn is_o_series(model: &str) -> bool {
    bare(model)
        .strip_prefix('o')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Gateways write `openai/gpt-6-luna`, and a tuned model is `ft:gpt-4.1:...`.
fn bare(model: &str) -> &str {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.strip_prefix("ft:").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_gpt_is_read_from_its_name() {
        assert_eq!(gpt_version("gpt-5.4-mini"), Some((5, 4)));
        assert_eq!(gpt_version("openai/gpt-6-luna"), Some((6, 0)));
        for model in ["gpt-oss-120b", "gpt-4o-mini", "o3", "qwen3"] {
            assert_eq!(gpt_version(model), None, "{model}");
        }
    }

    #[test]
    fn only_the_old_families_are_known_not_to_reason() {
        for model in [
            "gpt-4o-mini",
            "ft:gpt-4.1:us::x",
            "gpt-3.5-turbo",
            "chatgpt-4o-latest",
            "gpt-5-chat-latest",
        ] {
            assert!(!reasons(model), "{model}");
        }
        for model in ["gpt-5", "gpt-6-luna", "o3", "gpt-oss-120b", "my-deployment"] {
            assert!(reasons(model), "{model}");
        }
    }

    #[test]
    fn a_model_of_openai_that_reasons_takes_no_temperature() {
        for (model, effort, takes) in [
            ("gpt-6-luna", None, false),
            ("gpt-6-luna", Some(Low), false),
            ("gpt-6-luna", Some(NoEffort), true),
            ("gpt-5-mini", Some(Minimal), false),
            ("gpt-5.1", None, true),
            ("o3", None, false),
            ("gpt-4.1", None, true),
            ("qwen3", Some(High), true),
        ] {
            let found = takes_temperature(model, effort);
            assert_eq!(found, takes, "{model} {effort:?}");
        }
    }

    #[test]
    fn an_effort_that_a_model_lacks_becomes_the_nearest() {
        for (model, wanted, sent) in [
            ("gpt-6-luna", Minimal, Low),
            ("gpt-6-luna", NoEffort, NoEffort),
            ("gpt-6-luna", XHigh, XHigh),
            ("gpt-5.1", XHigh, High),
            ("gpt-5-nano", NoEffort, Minimal),
            ("o3", NoEffort, Low),
            ("o3", XHigh, High),
            ("my-deployment", Minimal, Minimal),
        ] {
            assert_eq!(nearest_effort(model, wanted), sent, "{wanted} of {model}");
        }
    }
}
