//! Which route a message takes, condition by condition.

use super::*;

#[tokio::test]
async fn the_first_route_that_holds_is_taken_and_else_the_default() {
    let router = compile(
        r#"
        [[routes]]
        name = "code"
        words = "rust"
        model = "coder"
        [[routes]]
        name = "long code"
        words = "rust"
        min_length = 10
        [[routes]]
        name = "long"
        min_length = 10
        model = "reader"
        "#,
        None,
    )
    .unwrap();
    let choice = said("Why does Rust complain?");
    let choice = choice.choose(&router).await;
    assert_eq!(choice.route, "code");
    assert_eq!(choice.then.unwrap().model, "coder");
    assert_eq!(choice.class, None);
    assert_eq!(
        said("Why does it complain?").choose(&router).await.route,
        "long"
    );
    let choice = said("Why?");
    let choice = choice.choose(&router).await;
    assert_eq!((choice.route, choice.then), ("default", None));
    assert!(!said("Why?").takes(&Router::default()).await);
}

#[tokio::test]
async fn all_conditions_of_a_route_must_hold() {
    let router = one("words = \"rust\"\nmax_length = 20\nmin_turns = 1");
    assert!(said("rust, please").after(1).takes(&router).await);
    assert!(!said("rust, please").after(0).takes(&router).await);
    assert!(
        !said("rust, please, at length")
            .after(1)
            .takes(&router)
            .await
    );
    assert!(!said("please").after(1).takes(&router).await);
}

#[tokio::test]
async fn words_have_edges_and_no_case() {
    expect(
        "words = [\"art\", \"C++\", \".NET\"]",
        &[
            "art",
            "The ART of it",
            "art, of course",
            "modern-art",
            "(art)",
            "c++11",
            "ASP.net",
            "c++",
        ],
        &["start", "article", "art_1", "art2", "c+", "net", ""],
    )
    .await;
}

#[tokio::test]
async fn phrases_take_any_white_space_between_their_words() {
    expect(
        "words = \"  Stack  trace \"",
        &[
            "a stack trace",
            "Stack\n\ttrace?",
            "stack\u{a0}trace",
            "stack \u{3000} trace",
        ],
        &[
            "stacktrace",
            "stack traces",
            "stack, trace",
            "haystack trace",
        ],
    )
    .await;
}

#[tokio::test]
async fn case_is_folded_as_unicode_does() {
    expect(
        "words = \"straße\"",
        &["STRASSE", "Straße", "STRAẞE"],
        &["strasen"],
    )
    .await;
    expect("words = \"ΟΔΟΣ\"", &["η οδος", "οδοσ", "Οδος;"], &["οδοςα"]).await;
    expect(
        "words = \"договор\"",
        &["ДОГОВОР?", "Наш договор."],
        &["договора"],
    )
    .await;
}

#[tokio::test]
async fn a_mark_belongs_to_its_letter() {
    expect("words = \"resume\"", &["resume"], &["resume\u{301}"]).await;
    expect("words = \"हिन\"", &["हिन है"], &["हिन्दी"]).await;
}

#[tokio::test]
async fn a_word_in_a_script_without_spaces_is_found_anywhere() {
    expect("words = \"天气\"", &["今天天气怎么样", "天气"], &["天空"]).await;
    expect(
        "words = \"rust\"",
        &["我用rust写代码", "Rustを学ぶ"],
        &["我用trust写"],
    )
    .await;
    expect(
        "words = \"サーバー\"",
        &["サーバーが落ちた", "webサーバーrust"],
        &["サーバ"],
    )
    .await;
    expect("words = \"날씨\"", &["오늘 날씨는 어때요"], &["오늘"]).await;
    expect("words = \"อากาศ\"", &["วันนี้อากาศดี"], &["วันนี้"]).await;
}

#[tokio::test]
async fn words_inside_one_another_are_all_found() {
    let router = compile(
        r#"
        [[routes]]
        name = "both"
        words = "new york times"
        metadata = { press = true }
        [[routes]]
        name = "city"
        words = "york"
        "#,
        None,
    )
    .unwrap();
    let message = said("the New York Times");
    assert_eq!(message.choose(&router).await.route, "city");
    let message = message.with(json!({"press": true}));
    assert_eq!(message.choose(&router).await.route, "both");
}

#[tokio::test]
async fn a_pattern_is_found_anywhere_and_one_of_a_list_is_enough() {
    expect(
        r"pattern = ['(?i)error\[E\d+\]', '^/\w+']",
        &["It says Error[E0382] here", "/help me"],
        &["error[E]", "see /help"],
    )
    .await;
}

#[tokio::test]
async fn a_pattern_that_would_backtrack_for_ever_does_not() {
    expect(
        r"pattern = '^(a+)+$'",
        &["aaaa"],
        &[&("a".repeat(8000) + "!")],
    )
    .await;
}

#[tokio::test]
async fn length_counts_characters_and_both_ends_are_in() {
    expect(
        "min_length = 3\nmax_length = 4",
        &["äöü", "日本語だ"],
        &["äö", "日本語だよ"],
    )
    .await;
}

#[tokio::test]
async fn a_huge_message_is_searched_in_its_beginning_and_measured_whole() {
    let huge = format!("{} rust", "é".repeat(1_000_000));
    assert!(!said(&huge).takes(&one("words = \"rust\"")).await);
    assert!(!said(&huge).takes(&one("pattern = \"rust\"")).await);
    assert!(
        said(&huge)
            .takes(&one("min_length = 1_000_005\nmax_length = 1_000_005"))
            .await
    );
    let early = format!("rust {huge}");
    assert!(
        said(&early)
            .takes(&one("words = \"rust\"\npattern = \"rust\""))
            .await
    );
}

#[tokio::test]
async fn the_script_of_most_letters_counts() {
    expect(
        "script = [\"Cyrillic\", \"arabic\"]",
        &["Как работает println! в Rust?", "مرحبا", "Привет! 🎉 100 %"],
        &["What does привет mean?", "12 + 30", "🎉", ""],
    )
    .await;
    expect("script = \"Old_Italic\"", &["𐌀𐌁"], &["ab"]).await;
}

#[tokio::test]
async fn japanese_counts_as_kana_and_chinese_as_han() {
    expect(
        "script = \"Han\"",
        &["今天天气怎么样？", "东京", "请解释这段代码的问题，谢谢"],
        &["東京都の天気を調査", "コンピュータ工学", "Hello 世界"],
    )
    .await;
    expect(
        "script = [\"Hiragana\", \"Katakana\"]",
        &["東京都の天気を調査", "こんにちは", "コンピュータ工学"],
        &["今天天气怎么样？", "안녕하세요"],
    )
    .await;
}

#[tokio::test]
async fn a_tool_is_wanted_by_metadata_or_by_its_name_in_the_text() {
    let router = one("tool = [\"calculator\", \"data_fetcher\"]");
    for message in [
        said("Use the Calculator."),
        said("data_fetcher, please"),
        said("17 * 4").with(json!({"tool": "calculator"})),
        said("17 * 4").with(json!({"tools": ["search", "calculator"]})),
    ] {
        assert!(message.takes(&router).await, "{message:?}");
    }
    for message in [
        said("calculators are nice"),
        said("17 * 4").with(json!({"tool": "calc", "tools": "calculator"})),
        said("17 * 4").with(json!({"tools": [{"name": "calculator"}, 3, null]})),
        said("17 * 4").in_session(json!({"tool": "calculator"})),
    ] {
        assert!(!message.takes(&router).await, "{message:?}");
    }
}

#[tokio::test]
async fn metadata_is_the_messages_own_before_the_sessions() {
    let router = one("metadata = { tier = [\"gold\", \"silver\"], seats = 2 }");
    let gold = said("").in_session(json!({"tier": "gold", "seats": 2.0}));
    assert!(gold.takes(&router).await);
    assert!(
        gold.clone()
            .with(json!({"tier": "silver"}))
            .takes(&router)
            .await
    );
    for other in [
        json!({"tier": "bronze"}),
        json!({"tier": null}),
        json!({"tier": ["gold"]}),
        json!({"seats": "2"}),
        json!({"seats": 2.5}),
    ] {
        assert!(
            !gold.clone().with(other.clone()).takes(&router).await,
            "{other}"
        );
    }
    assert!(!said("").with(json!({"tier": "gold"})).takes(&router).await);
}

#[tokio::test]
async fn an_explanation_says_what_holds_and_what_does_not() {
    let router = compile(
        r#"
        [[routes]]
        name = "code"
        words = ["rust", "stack trace"]
        min_length = 200
        [[routes]]
        name = "gold"
        metadata = { tier = "gold" }
        script = "Latin"
        min_turns = 1
        max_turns = 5
        [[routes]]
        name = "rest"
        "#,
        None,
    )
    .unwrap();
    let message = said("Why is there a stack trace?").after(2);
    let message = message.in_session(json!({"tier": "gold"}));
    let explanation = message.explain(&router).await;
    assert_eq!(
        explanation.to_string(),
        r#"code: does not hold
  no  length: at least 200 (it has 27)
  yes words: rust | stack trace (it has stack trace)
gold: taken
  yes turns: 1 to 5 (it has 2)
  yes metadata.tier: "gold" (it has "gold")
  yes script: Latin (it has Latin)
rest: holds, but one before it is taken
  always
taken: gold"#
    );
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(
        json["routes"][0]["conditions"][1],
        json!({"field": "words", "holds": true, "wanted": "rust | stack trace", "found": "stack trace"})
    );
    assert_eq!(json["route"], "gold");
    let explanation = said("?").explain(&router).await.to_string();
    assert!(
        explanation.contains("no  words: rust | stack trace (it has none)"),
        "{explanation}"
    );
    assert!(explanation.ends_with("taken: rest"), "{explanation}");
}
