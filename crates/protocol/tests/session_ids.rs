//! Which texts name a session, against a judge of its own. It stands in paths, logs and statements: a text
//! that is one and should not be is a way out of all of them. `PROPTEST_CASES=1000000` looks longer.

use patter_protocol::SessionId;
use proptest::prelude::*;

/// As the contract has it: `[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}`.
fn is_id(text: &str) -> bool {
    let is_first = |it: char| matches!(it, 'A'..='Z' | 'a'..='z' | '0'..='9');
    let is_other = |it: char| is_first(it) || "._~:-".contains(it);
    let mut characters = text.chars();
    characters.next().is_some_and(is_first) && characters.all(is_other) && text.len() < 129
}

fn assert_judged(text: &str) {
    let parsed: Result<SessionId, _> = text.parse();
    assert_eq!(parsed.is_ok(), is_id(text), "{text:?}");
    if let Ok(id) = parsed {
        assert_eq!(id.as_str(), text);
    }
}

/// Inputs 38 to 42.
#[test]
fn what_is_no_plain_word_names_no_session() {
    let [longest, too_long, long] = [128, 129, 10_000].map(|length| "a".repeat(length));
    for text in [
        "",
        "..",
        "../../etc/passwd",
        "..%2f..%2fetc",
        "%2e%2e",
        "%252e",
        "a/b",
        "%00",
        "a\0",
        "a\r\nSet-Cookie:x",
        "a%0d%0aSet-Cookie:x",
        "a b",
        "a;b",
        "a'b",
        "a\"b",
        "<script>",
        "a\\b",
        "\u{430}",
        "a\u{200d}b",
        "a\u{202e}b",
        "e\u{301}",
        "\u{e9}",
        "\u{ff21}",
        "-x",
        ".x",
        "~x",
        ":x",
        "_x",
        "a?b",
        "a#b",
        "a%62",
        "a\u{7f}",
        "a\u{a0}",
        &long,
        &too_long,
    ] {
        assert!(text.parse::<SessionId>().is_err(), "{text:?}");
        assert_judged(text);
    }
    for text in ["a", "0", "A.b_c~d:e-f", "a..b", &longest] {
        assert!(text.parse::<SessionId>().is_ok(), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged_as_the_contract_has_it(text in any::<String>()) {
        assert_judged(&text);
    }

    #[test]
    fn a_text_that_is_nearly_an_id_is_judged_as_the_contract_has_it(
        text in "[A-Za-z0-9][A-Za-z0-9._~:-]{0,140}", odd in any::<char>(), at in 0_usize..150,
    ) {
        assert_judged(&text);
        let mut spoilt = text;
        let at = at.min(spoilt.len());
        spoilt.insert(at, odd);
        assert_judged(&spoilt);
    }
}
