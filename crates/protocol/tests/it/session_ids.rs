//! Which texts name a session; `fuzz.rs` beside this tries any others.

use patter_protocol::SessionId;

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
    }
    for text in ["a", "0", "A.b_c~d:e-f", "a..b", &longest] {
        assert!(text.parse::<SessionId>().is_ok(), "{text:?}");
    }
}
