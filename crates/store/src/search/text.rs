//! What somebody asked for, read once for both databases: PostgreSQL gets it back in the plainest form
//! of its own syntax, SQLite as an expression of FTS5. Nothing but words goes into either, so neither
//! sees an operator that the other does not know, and no text is an error.

use std::collections::HashSet;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

use super::SEARCH_TEXT_CHARS;

/// Alternatives, one of which has to match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SearchText {
    alternatives: Vec<Alternative>,
}

/// Each term is one word, or several in a row with one space between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Alternative {
    must: Vec<String>,
    must_not: Vec<String>,
}

impl SearchText {
    /// Reads a text as `websearch_to_tsquery` does, and words as both databases do.
    pub(crate) fn parse(text: &str) -> Self {
        let text: String = text.chars().take(SEARCH_TEXT_CHARS).collect();
        let mut alternatives = vec![Alternative::default()];
        let mut is_negated = false;
        let mut is_or_possible = false;
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (phrase, behind) = quoted.split_once('"').unwrap_or((quoted, ""));
                rest = behind;
                is_or_possible |= add(&mut alternatives, phrase, is_negated);
                is_negated = false;
            } else if first == '-' {
                is_negated = true;
                rest = rest.strip_prefix('-').unwrap_or_default();
            } else if first.is_whitespace() {
                rest = rest.trim_start();
            } else {
                let end = rest
                    .find(|c: char| c.is_whitespace() || c == '"')
                    .unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                rest = behind;
                if word.eq_ignore_ascii_case("or") && is_or_possible && words(rest).next().is_some()
                {
                    alternatives.push(Alternative::default());
                    is_or_possible = false;
                } else {
                    is_or_possible |= add(&mut alternatives, word, is_negated);
                }
                is_negated = false;
            }
        }
        alternatives.retain(|one| !one.must.is_empty() || !one.must_not.is_empty());
        // "All but" would be nearly everything.
        if alternatives.iter().any(|one| one.must.is_empty()) {
            alternatives.clear();
        }
        Self { alternatives }
    }

    /// Whether nothing can match.
    pub(crate) fn is_empty(&self) -> bool {
        self.alternatives.is_empty()
    }

    /// The words that are looked for, in lower case.
    pub(crate) fn words(&self) -> HashSet<String> {
        let terms = self.alternatives.iter().flat_map(|one| &one.must);
        terms
            .flat_map(|term| words(term))
            .map(str::to_lowercase)
            .collect()
    }

    /// For `websearch_to_tsquery`.
    #[cfg(feature = "postgres")]
    pub(crate) fn to_websearch(&self) -> String {
        let alternatives: Vec<_> = self
            .alternatives
            .iter()
            .map(Alternative::to_websearch)
            .collect();
        alternatives.join(" or ")
    }

    /// For `match` in FTS5.
    #[cfg(feature = "sqlite")]
    pub(crate) fn to_fts5(&self) -> String {
        let alternatives: Vec<_> = self.alternatives.iter().map(Alternative::to_fts5).collect();
        alternatives.join(" OR ")
    }
}

impl Alternative {
    #[cfg(feature = "postgres")]
    fn to_websearch(&self) -> String {
        let must = self.must.iter().map(|term| format!("\"{term}\""));
        let must_not = self.must_not.iter().map(|term| format!("-\"{term}\""));
        must.chain(must_not).collect::<Vec<_>>().join(" ")
    }

    #[cfg(feature = "sqlite")]
    fn to_fts5(&self) -> String {
        let joined = |terms: &[String], operator: &str| {
            let quoted: Vec<_> = terms.iter().map(|term| format!("\"{term}\"")).collect();
            quoted.join(operator)
        };
        let must = joined(&self.must, " AND ");
        if self.must_not.is_empty() {
            return format!("({must})");
        }
        format!("(({must}) NOT ({}))", joined(&self.must_not, " OR "))
    }
}

/// Adds a term to the last alternative, if there is a word in it.
fn add(alternatives: &mut [Alternative], text: &str, is_negated: bool) -> bool {
    let term = words(text).collect::<Vec<_>>().join(" ");
    let (false, Some(last)) = (term.is_empty(), alternatives.last_mut()) else {
        return false;
    };
    let terms = if is_negated {
        &mut last.must_not
    } else {
        &mut last.must
    };
    terms.push(term);
    true
}

/// The words of a text: letters and digits in a row, with the marks that stand on them.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_in_word(c))
        .filter(|word| !word.is_empty())
}

pub(crate) fn is_in_word(c: char) -> bool {
    c.is_alphanumeric()
        || !c.is_ascii()
            && GeneralCategoryGroup::Mark
                .contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_as_a_web_search() {
        for (text, fts5, websearch) in [
            ("cat dog", r#"("cat" AND "dog")"#, r#""cat" "dog""#),
            (
                r#""big cat" -dog"#,
                r#"(("big cat") NOT ("dog"))"#,
                r#""big cat" -"dog""#,
            ),
            (
                "cat or -dog bird",
                r#"("cat") OR (("bird") NOT ("dog"))"#,
                r#""cat" or "bird" -"dog""#,
            ),
            // Not between two alternatives, it is a word.
            (
                "or cat OR",
                r#"("or" AND "cat" AND "OR")"#,
                r#""or" "cat" "OR""#,
            ),
            ("cat Or or", r#"("cat") OR ("or")"#, r#""cat" or "or""#),
            // What has signs in it is several words in a row.
            (
                "don't yes/no",
                r#"("don t" AND "yes no")"#,
                r#""don t" "yes no""#,
            ),
            (r#"cat"dog"#, r#"("cat" AND "dog")"#, r#""cat" "dog""#),
            (
                r#"owner:cat NEAR(a b)* ^c {d}"#,
                r#"("owner cat" AND "NEAR a" AND "b" AND "c" AND "d")"#,
                r#""owner cat" "NEAR a" "b" "c" "d""#,
            ),
            (
                "- - -cat dog",
                r#"(("dog") NOT ("cat"))"#,
                r#""dog" -"cat""#,
            ),
        ] {
            let parsed = SearchText::parse(text);
            assert_eq!(parsed.to_fts5(), fts5, "{text}");
            assert_eq!(parsed.to_websearch(), websearch, "{text}");
        }
    }

    #[test]
    fn what_nothing_can_match_is_empty() {
        for text in [
            "",
            " ",
            "-cat",
            "cat or -dog",
            "(((",
            "'",
            "| & !",
            ":*",
            "%%%%",
            "\0",
            "\"",
            "-\"\"",
            "-",
        ] {
            assert!(SearchText::parse(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let parsed = SearchText::parse(&"a ".repeat(100_000));
        assert_eq!(parsed.to_fts5().matches('a').count(), SEARCH_TEXT_CHARS / 2);
    }
}
