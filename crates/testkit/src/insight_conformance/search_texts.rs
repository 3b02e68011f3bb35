//! What may be asked for, and in which texts it is found.

use patter_store::SEARCH_TEXT_CHARS;

use super::InsightFixture;
use super::corpus::{asked, found, said};
use crate::store_conformance::sample::message;

/// Inputs 84 and 85.
/// Nor does one take long.
pub async fn no_text_is_an_error(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    said(store.as_ref(), None, [message("a b c NEAR NOT AND or x")]).await;
    let long = "a ".repeat(50_000);
    let word = "a".repeat(100_000);
    let wide = "🦀é".repeat(SEARCH_TEXT_CHARS);
    for text in [
        "",
        " ",
        "(((",
        ")",
        "'",
        "\"",
        "\"\"",
        "''''",
        "a & | !",
        ":*",
        "a:*",
        "%%%%",
        "\0",
        "a\0b",
        "a:",
        "\\",
        "a\\",
        "NEAR(a b, 2)",
        "a NOT b",
        "a AND",
        "AND",
        "^a",
        "a + b",
        "{a b}:c",
        "content:a",
        "-",
        "--a",
        "- a",
        "<->",
        "a <2> b",
        "!!a",
        "a OR OR OR",
        "or",
        "\u{1}u",
        "\u{1}lsimple",
        "$1",
        "; drop table x",
        &long,
        &word,
        &wide,
    ] {
        let shown: String = text.chars().take(20).collect();
        assert!(insight.search(asked(text)).await.is_ok(), "{shown:?}");
    }
    for text in ["", "(((", "'", "%%%%", "\0", "\u{1}u", "-a"] {
        assert!(found(insight.as_ref(), text).await.is_empty(), "{text:?}");
    }
    assert_eq!(found(insight.as_ref(), "a\0b").await.len(), 1);
    assert_eq!(found(insight.as_ref(), "NEAR(a b)").await.len(), 0);
    assert_eq!(found(insight.as_ref(), "NOT AND").await.len(), 1);
}

/// Where a database has its own ideas of addresses, files, hosts, numbers and tags.
pub async fn words_are_found_whatever_stands_around_them(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let text = "See <b>docs</b> at https://example.com/guide/start.html?page=two or mail ada@example.org; \
                yes/no, snake_case, kebab-case, end.Next, don't, pi=3.14, -42, (x86_64), `let mut`";
    said(store.as_ref(), None, [message(text)]).await;
    for word in [
        "docs",
        "b",
        "example",
        "guide",
        "start",
        "html",
        "page",
        "two",
        "ada",
        "org",
        "yes",
        "no",
        "snake",
        "snake_case",
        "case",
        "kebab-case",
        "next",
        "end.next",
        "don't",
        "don",
        "3.14",
        "14",
        "42",
        "x86",
        "x86_64",
        "mut",
        "example.com/guide",
        "ada@example.org",
        r#""yes no""#,
        "https://example.com",
    ] {
        assert_eq!(found(insight.as_ref(), word).await.len(), 1, "{word}");
    }
}

/// Accents count.
pub async fn words_of_any_script_are_found(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let text = "Ärger über Straße, ёлка и Мир, Ελλάδα, “quoted” café — 東京 , नमस्ते";
    said(store.as_ref(), None, [message(text)]).await;
    for (word, count) in [
        ("ärger", 1),
        ("ÜBER", 1),
        ("straße", 1),
        ("ЁЛКА", 1),
        ("мир", 1),
        ("ελλάδα", 1),
        ("quoted", 1),
        ("café", 1),
        ("東京", 1),
        ("नमस्ते", 1),
        ("arger", 0),
        ("cafe", 0),
        ("東", 0),
    ] {
        assert_eq!(found(insight.as_ref(), word).await.len(), count, "{word}");
    }
}
