//! What the name of a Gemini model says about it.

/// The version in the name of a Gemini model: `(3, 5)` for `gemini-3.5-flash-lite`. Names without
/// a number, such as `gemini-flash-latest`, stand for the newest; `None` is no Gemini at all.
pub(crate) fn version(model: &str) -> Option<(u32, u32)> {
    let rest = model.strip_prefix("gemini-")?;
    let number = rest.split('-').next().unwrap_or(rest);
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some(match (major.parse(), minor.parse()) {
        (Ok(major), Ok(minor)) => (major, minor),
        _ => (u32::MAX, 0),
    })
}

/// Whether the model refuses calls without a signature: Gemini 3 and newer. Others, such as
/// Gemma, do not.
pub(crate) fn checks_signatures(model: &str) -> bool {
    version(model).is_some_and(|version| version >= (3, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_every_common_name() {
        assert_eq!(version("gemini-3-flash-preview"), Some((3, 0)));
        assert_eq!(version("gemini-3.5-flash-lite"), Some((3, 5)));
        assert_eq!(version("gemini-flash-latest"), Some((u32::MAX, 0)));
        assert_eq!(version("gemma-4-27b"), None);
    }

    #[test]
    fn signatures_are_checked_from_the_third_generation_on() {
        for model in [
            "gemini-3-flash-preview",
            "gemini-4-neon",
            "gemini-flash-latest",
        ] {
            assert!(checks_signatures(model), "{model}");
        }
        for model in ["gemini-2.5-flash", "gemini-2.0-flash", "gemma-4-27b"] {
            assert!(!checks_signatures(model), "{model}");
        }
    }
}
