//! How much a Gemini model is told to think (<https://ai.google.dev/gemini-api/docs/thinking>).
//!
//! The families differ: 2.5 takes a budget in tokens, 3 and newer a level, and each has a range of
//! its own outside of which it refuses the request. An effort becomes the nearest that the model
//! takes. Where none is asked for, nothing is sent.

use serde::Serialize;

use crate::effort::ReasoningEffort;

/// The part of a request that is about thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Thinking {
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_level: Option<&'static str>,
    /// To see the thoughts costs nothing, but is refused where there are none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    include_thoughts: bool,
}

/// What a model takes. A budget and a level together are refused.
#[derive(Debug, Clone, Copy)]
enum Control {
    /// Tokens between these.
    Budget { least: u32, most: u32 },
    /// Levels between these.
    Level {
        least: ReasoningEffort,
        most: ReasoningEffort,
    },
    /// It does not think, or not when told.
    Nothing,
}

/// By the beginning of the name, the first that fits.
const FAMILIES: [(&str, Control); 13] = {
    use Control::{Budget, Level, Nothing};
    use ReasoningEffort::{High, Low, Minimal, XHigh};
    const fn level(least: ReasoningEffort, most: ReasoningEffort) -> Control {
        Level { least, most }
    }
    [
        (
            "gemini-2.5-pro",
            Budget {
                least: 128,
                most: 32_768,
            },
        ),
        (
            "gemini-2.5-",
            Budget {
                least: 0,
                most: 24_576,
            },
        ),
        ("gemini-1", Nothing),
        ("gemini-2", Nothing),
        ("gemini-3-flash", level(Minimal, High)),
        ("gemini-3.1-flash", level(Minimal, High)),
        ("gemini-3.5-flash", level(Minimal, High)),
        ("gemini-3.6-flash", level(Minimal, High)),
        ("gemini-4-hydrogen", level(Low, XHigh)),
        ("gemini-4-neon", level(Low, XHigh)),
        ("gemini-4-carbon", level(Low, XHigh)),
        // What every other one takes, those that are to come too, as far as one can know.
        ("gemini-", level(Low, High)),
        ("", Nothing),
    ]
};

/// What to send for this effort; nothing to a model that would refuse it.
pub(super) fn thinking(model: &str, effort: ReasoningEffort) -> Option<Thinking> {
    let (_, control) = FAMILIES
        .iter()
        .find(|(prefix, _)| model.starts_with(prefix))?;
    let include_thoughts = effort != ReasoningEffort::None;
    match *control {
        Control::Budget { least, most } => Some(Thinking {
            thinking_budget: Some(tokens(effort).clamp(least, most)),
            thinking_level: None,
            include_thoughts,
        }),
        Control::Level { least, most } => Some(Thinking {
            thinking_budget: None,
            thinking_level: Some(effort.clamp(least, most).as_str()),
            include_thoughts,
        }),
        Control::Nothing => None,
    }
}

/// The budgets that Google itself takes these words for
/// (<https://ai.google.dev/gemini-api/docs/openai#thinking>), and the ends of the ranges.
fn tokens(effort: ReasoningEffort) -> u32 {
    match effort {
        ReasoningEffort::None => 0,
        // The least that Flash-Lite takes if it is to think at all.
        ReasoningEffort::Minimal => 512,
        ReasoningEffort::Low => 1_024,
        ReasoningEffort::Medium => 8_192,
        ReasoningEffort::High => 24_576,
        ReasoningEffort::XHigh => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sent(model: &str, effort: ReasoningEffort) -> Value {
        serde_json::to_value(thinking(model, effort)).unwrap()
    }

    #[test]
    fn a_budget_goes_to_2_5_and_stays_in_its_range() {
        use ReasoningEffort::{Low, None, XHigh};
        assert_eq!(
            sent("gemini-2.5-flash", Low),
            json!({"thinkingBudget": 1024, "includeThoughts": true})
        );
        assert_eq!(sent("gemini-2.5-flash", None), json!({"thinkingBudget": 0}));
        assert_eq!(sent("gemini-2.5-pro", None), json!({"thinkingBudget": 128}));
        let most = json!({"thinkingBudget": 32768, "includeThoughts": true});
        assert_eq!(sent("gemini-2.5-pro", XHigh), most);
    }

    #[test]
    fn newer_models_get_the_nearest_level_that_they_take() {
        use ReasoningEffort::{High, Medium, Minimal, None, XHigh};
        for (model, effort, level) in [
            ("gemini-3.5-flash-lite", None, "minimal"),
            ("gemini-3.6-flash", XHigh, "high"),
            ("gemini-3.8-flash", Minimal, "low"),
            ("gemini-3.1-pro-preview", Minimal, "low"),
            ("gemini-4-argon", XHigh, "high"),
            ("gemini-4-neon", XHigh, "xhigh"),
            ("gemini-4-neon", None, "low"),
            ("gemini-4-hydrogen", Medium, "medium"),
            ("gemini-flash-latest", High, "high"),
            ("gemini-9-lead", Minimal, "low"),
        ] {
            let sent = sent(model, effort);
            assert_eq!(sent["thinkingLevel"], level, "{model} {effort}");
            assert_eq!(sent.get("thinkingBudget"), Option::None, "{model}");
            let thoughts = sent.get("includeThoughts").is_some();
            assert_eq!(thoughts, effort != None, "{model} {effort}");
        }
    }

    #[test]
    fn a_model_that_does_not_think_is_told_nothing() {
        for model in ["gemini-2.0-flash", "gemma-4-27b"] {
            assert_eq!(sent(model, ReasoningEffort::High), Value::Null);
        }
    }
}
