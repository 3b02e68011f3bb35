//! What holds for every text and all routes.

use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;

/// Conditions that random texts meet now and then.
const CONDITIONS: [&str; 14] = [
    "words = [\"a\", \"a a\", \"ß\", \"ΟΔΟΣ\"]",
    "words = [\"天\", \"ー\", \"날\"]",
    "words = \"\\u0301\"",
    "words = [\"İ\", \"ı\", \"ﬁ\"]",
    r"pattern = '(?i)\b[a-zß]+\b'",
    r"pattern = '^\s*$'",
    r"pattern = '(?s)^.{3}$'",
    r"pattern = '\p{Han}.?$'",
    "script = [\"Han\", \"Hiragana\"]",
    "script = [\"Latin\"]",
    "tool = [\"a\", \"b_c\"]",
    "metadata = { tier = [\"gold\", 1, true] }",
    "min_length = 2\nmax_length = 6",
    "min_turns = 1\nmax_turns = 2",
];

fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a", "A", " ", "\n", "\u{a0}", "ß", "ẞ", "ς", "Σ", "Οδο", "天", "ー", "날", "ん", "ア",
        "\u{301}", "\u{200d}", "İ", "ﬁ", "b_c", "_", "1", "🎉", "\0", "é",
    ]);
    let mixed = prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat());
    // Around the place up to which a text is searched, in pieces of every width.
    let long = ("[aé天🎉]{1,8}", 800_usize..3000).prop_map(|(piece, count)| piece.repeat(count));
    prop_oneof![4 => any::<String>(), 8 => mixed, 1 => long]
}

fn metadata() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({}),
        json!({"tier": "gold"}),
        json!({"tier": 1.0, "tool": "a"}),
        json!({"tier": [true], "tools": ["b_c", 1]}),
        json!({"tool": null, "tools": {}}),
    ])
}

fn message() -> impl Strategy<Value = Said> {
    (text(), metadata(), metadata(), 0_u64..4).prop_map(|(text, session, message, turns)| {
        said(text).in_session(session).with(message).after(turns)
    })
}

fn routes() -> impl Strategy<Value = Router<Target>> {
    let one = prop::sample::subsequence(CONDITIONS.to_vec(), 1..3).prop_filter_map(
        "a field stands in it once",
        |conditions| {
            let conditions = conditions.join("\n");
            toml::from_str::<toml::Table>(&conditions)
                .ok()
                .map(|_| conditions)
        },
    );
    prop::collection::vec(one, 0..6).prop_map(|routes| {
        let mut file = String::from("routes = []");
        for (index, conditions) in routes.iter().enumerate() {
            if index == 0 {
                file.clear();
            }
            file.push_str(&format!("[[routes]]\nname = \"{index}\"\n{conditions}\n"));
        }
        compile(&file, None).unwrap()
    })
}

proptest! {
    #[test]
    fn choosing_and_explaining_agree_on_every_text(router in routes(), message in message()) {
        let choice = router.choose(&message.situation()).now_or_never().unwrap();
        let explanation = router.explain(&message.situation()).now_or_never().unwrap();
        prop_assert_eq!(&explanation.route, choice.route);
        // By what the explanation says of each condition, the same route must come first.
        let first = explanation
            .routes
            .iter()
            .find(|route| route.conditions.iter().all(|it| it.holds == Some(true)));
        prop_assert_eq!(first.map_or("default", |it| it.name.as_str()), choice.route);
        let taken = explanation.routes.iter().filter(|it| it.taken).count();
        prop_assert_eq!(taken, usize::from(choice.then.is_some()));
        for finding in explanation.routes.iter().flat_map(|it| &it.conditions) {
            let lists = ["words", "pattern", "tool"].contains(&finding.field.as_str());
            prop_assert!(!lists || finding.holds == Some(finding.found.is_some()), "{:?}", finding);
        }
        let last = format!("taken: {}", choice.route);
        prop_assert!(explanation.to_string().ends_with(&last));
    }

    #[test]
    fn a_word_is_found_in_any_case_between_any_spaces(
        word in "[a-zà-öø-ýа-яα-ω]{1,8}",
        before in "[ .,!?\n]{0,3}",
        after in "[ .,!?\n]{0,3}",
    ) {
        let router = one(&format!("words = \"{word}\""));
        for word in [word.to_uppercase(), word.to_lowercase()] {
            let message = said(format!("{before}{word}{after}"));
            prop_assert!(message.takes(&router).now_or_never().unwrap(), "{:?}", message);
        }
        let message = said(format!("{before}x{word}{after}"));
        prop_assert!(!message.takes(&router).now_or_never().unwrap(), "{:?}", message);
    }

    #[test]
    fn compiling_never_panics(entries in prop::collection::vec(any::<String>(), 0..4)) {
        let when = patter_llm::Conditions {
            words: entries.clone(),
            pattern: entries.clone(),
            script: entries.clone(),
            tool: entries.clone(),
            class: entries,
            ..patter_llm::Conditions::default()
        };
        let route = Route { name: "it".to_owned(), when, then: () };
        if let Ok(router) = Router::new(vec![route], None) {
            let message = said("Some text");
            prop_assert!(router.choose(&message.situation()).now_or_never().is_some());
        }
    }
}
