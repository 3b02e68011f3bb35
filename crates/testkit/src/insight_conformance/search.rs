//! What is found.

use patter_protocol::{CallId, EventBody, Metrics, ResponseId};
use patter_store::{ExcerptPart, NewEvent, SEARCH_TEXT_CHARS, SearchQuery};
use serde_json::json;

use super::InsightFixture;
use super::corpus::{asked, event_of, found, said};
use crate::store_conformance::sample::{
    answer, append, claimed, ended, message, started, summary, tool_result, write,
};

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts
}

/// Messages, answers and summaries; not tools, and not what is private.
pub async fn what_was_said_is_found_and_nothing_else(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let mut entry = append(
        &id,
        claim.fence,
        [
            started(),
            message("a walrus asks"),
            tool_result(CallId::generate(), json!("a walrus in a tool")),
            answer(ResponseId::generate(), "the walrus answers"),
            ended(Some("a walrus was here"), Metrics::default()),
            ended(None, Metrics::default()),
            summary("a walrus, in short"),
        ],
    );
    let private = NewEvent {
        private: Some(json!("a walrus in private")),
        ..NewEvent::now(message("nothing"))
    };
    entry.events.push(private);
    write(store.as_ref(), entry).await.unwrap();
    assert_eq!(
        sorted(found(insight.as_ref(), "walrus").await),
        [
            "a walrus asks",
            "a walrus was here",
            "a walrus, in short",
            "the walrus answers"
        ]
    );
    let types: Vec<_> = insight.search(asked("walrus")).await.unwrap().hits;
    let mut types: Vec<_> = types.into_iter().map(|hit| hit.event_type).collect();
    types.sort_unstable();
    assert_eq!(
        types,
        [
            "ai_response",
            "session_ended",
            "session_summary",
            "user_message"
        ]
    );
}

/// Words, phrases, what must not be there, alternatives.
pub async fn the_syntax_is_that_of_a_web_search(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let corpus = [
        "red apples and green pears",
        "green apples",
        "Green pears, red plums",
        "apples that are green",
        "this or that",
    ];
    said(store.as_ref(), None, corpus.map(message)).await;
    for (text, expected) in [
        ("apples", vec![0, 1, 3]),
        ("APPLES Green", vec![0, 1, 3]),
        (r#""green apples""#, vec![1]),
        (r#""apples green""#, vec![]),
        ("apples -pears", vec![1, 3]),
        (r#"green -"green apples""#, vec![0, 2, 3]),
        ("plums or that", vec![2, 3, 4]),
        ("plums OR red apples", vec![0, 2]),
        ("apples -red or plums -pears", vec![1, 3]),
        ("or this", vec![4]),
        (r#"this "or""#, vec![4]),
        ("apple", vec![]),
        ("app*", vec![]),
        ("-apples", vec![]),
        ("plums or -apples", vec![]),
        // What has signs in it is words in a row.
        ("red&plums", vec![2]),
        ("pears/red", vec![2]),
        ("content:apples", vec![]),
        ("owner:u", vec![]),
        ("u", vec![]),
    ] {
        let expected: Vec<_> = expected
            .into_iter()
            .map(|index: usize| corpus[index].to_owned())
            .collect();
        let found = sorted(found(insight.as_ref(), text).await);
        assert_eq!(found, sorted(expected), "{text}");
    }
}

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

/// With the words marked, also where a text looks like marks.
pub async fn a_hit_tells_where_it_is_and_shows_the_words(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let text = "<mark>Otters</mark> \u{e000}swim\u{e001} & otters' \u{1}sleep";
    let id = said(store.as_ref(), Some("ada"), [started(), message(text)]).await;
    let page = insight.search(asked("otters sleep")).await.unwrap();
    assert_eq!(page.next, None);
    let hit = &page.hits[0];
    assert_eq!(
        (&hit.session_id, hit.seq, hit.event_type.as_str()),
        (&id, 2, "user_message")
    );
    assert_eq!(hit.title.as_deref(), Some("of ada"));
    assert!(hit.score > 0.0, "{}", hit.score);
    let EventBody::UserMessage(found) = event_of(store.as_ref(), hit).await else {
        panic!("not a message");
    };
    assert_eq!(found.content, text);
    let part = |text: &str, is_match| ExcerptPart {
        text: text.to_owned(),
        is_match,
    };
    let expected = [
        part("<mark>", false),
        part("Otters", true),
        part("</mark> \u{e000}swim\u{e001} & ", false),
        part("otters", true),
        part("' \u{1}", false),
        part("sleep", true),
    ];
    assert_eq!(hit.excerpt, expected);
}

/// And the text itself may be of any length.
pub async fn an_excerpt_of_a_long_text_is_short(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let filler = "some words of no interest, ".repeat(20_000);
    let near = format!("{}needle {filler}", "before it, ".repeat(100));
    said(
        store.as_ref(),
        None,
        [message(&near), message(&format!("{filler} needle"))],
    )
    .await;
    let hits = insight.search(asked("needle")).await.unwrap().hits;
    // What is behind the first 100 000 characters is not searched.
    assert_eq!(hits.len(), 1);
    let excerpt = &hits[0].excerpt;
    assert!(
        excerpt
            .iter()
            .any(|part| part.is_match && part.text == "needle"),
        "{excerpt:?}"
    );
    assert!(
        excerpt
            .iter()
            .map(|part| part.text.chars().count())
            .sum::<usize>()
            < 300
    );
}

/// Whatever their name is.
pub async fn only_what_is_one_users_is_found(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let users = [
        None,
        Some("ada"),
        Some("Ada"),
        Some("ada b"),
        Some("x\" OR owner:u"),
        Some(""),
    ];
    for user in users {
        said(
            store.as_ref(),
            user,
            [message(&format!("whale of {user:?}"))],
        )
        .await;
    }
    for user in users.into_iter().flatten() {
        let query = SearchQuery {
            user_id: Some(user.to_owned()),
            ..asked("whale or of or user")
        };
        let hits = insight.search(query).await.unwrap().hits;
        let titles: Vec<_> = hits.iter().filter_map(|hit| hit.title.clone()).collect();
        assert_eq!(titles, [format!("of {user}")], "{user:?}");
    }
    assert_eq!(found(insight.as_ref(), "whale").await.len(), users.len());
}

/// Its neighbours are.
pub async fn a_deleted_session_is_not_found_any_more(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let gone = said(
        store.as_ref(),
        Some("ada"),
        [message("a heron"), message("two herons")],
    )
    .await;
    let kept = said(store.as_ref(), Some("ada"), [message("a heron too")]).await;
    fixture.delete(&gone).await;
    let hits = insight.search(asked("heron or herons")).await.unwrap().hits;
    assert_eq!(
        hits.iter().map(|hit| &hit.session_id).collect::<Vec<_>>(),
        [&kept]
    );
    assert!(found(insight.as_ref(), "herons").await.is_empty());
    assert_eq!(
        found(insight.as_ref(), "heron -herons").await,
        ["a heron too"]
    );
}
