//! What choosing a route costs: 20 routes of every kind, none of which holds, so that every one
//! is looked at, and messages of several lengths and scripts.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark says what is wrong by failing"
)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use patter_llm::{Conditions, Route, Router, Situation};
use serde_json::{Map, json};

const ENGLISH: &str = "Our team meets on Monday to plan the week, and everybody brings a list of \
                       questions that came up while the last release was being tested. ";
const RUSSIAN: &str = "Наша команда встречается в понедельник, чтобы составить план на неделю, и \
                       каждый приносит список вопросов, которые появились при проверке. ";
const CHINESE: &str = "我们的团队星期一开会安排一周的工作，每个人都带来上次发布测试时出现的问题清单，\
                       然后一起讨论哪些事情最重要。";

fn words(words: &[&str]) -> Conditions {
    Conditions {
        words: words.iter().map(|it| (*it).to_owned()).collect(),
        ..Conditions::default()
    }
}

fn pattern(pattern: &str) -> Conditions {
    Conditions {
        pattern: vec![pattern.to_owned()],
        ..Conditions::default()
    }
}

fn script(script: &str, more: Conditions) -> Conditions {
    Conditions {
        script: vec![script.to_owned()],
        ..more
    }
}

fn tool(tool: &str) -> Conditions {
    Conditions {
        tool: vec![tool.to_owned()],
        ..Conditions::default()
    }
}

fn tier(tier: &str) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.metadata.insert("tier".to_owned(), json!(tier));
    conditions
}

fn router() -> Router<()> {
    let conditions = [
        words(&[
            "rust",
            "stack trace",
            "segfault",
            "borrow checker",
            "compiler",
        ]),
        words(&["invoice", "refund", "credit card", "chargeback", "receipt"]),
        words(&["weather", "forecast", "rain", "humidity"]),
        words(&["translate", "übersetzen", "traduire", "перевести", "翻译"]),
        words(&["лекарство", "врач", "doctor", "prescription", "处方"]),
        words(&["contract", "договор", "Vertrag", "合同"]),
        words(&["c++", "c#", "node.js", ".net"]),
        pattern(r"(?i)error\[E\d+\]"),
        pattern(r"https?://\S+\.(?:rs|toml)"),
        pattern(r"[\w.]+@[\w.]+\.\w{2,}"),
        pattern(r"(?i)\bticket #?\d{4,}\b"),
        pattern(r"^(?:/|!)\w+"),
        script("Arabic", Conditions::default()),
        script("Latin", words(&["bonjour", "guten tag"])),
        tool("calculator"),
        tool("data_fetcher"),
        tier("gold"),
        tier("silver"),
        Conditions {
            min_length: Some(20_000),
            ..Conditions::default()
        },
        Conditions {
            min_turns: Some(50),
            ..Conditions::default()
        },
    ];
    let routes = conditions
        .into_iter()
        .enumerate()
        .map(|(index, when)| Route {
            name: format!("route {index}"),
            when,
            then: (),
        });
    Router::new(routes.collect(), None).unwrap()
}

/// A pattern that has no letters to search for and asks for Unicode's edges of words, in text that
/// is not ASCII: the one thing that the regex crate is slow at.
fn slowest_pattern(criterion: &mut Criterion) {
    let route = Route {
        name: "number".to_owned(),
        when: pattern(r"\b\d{4}\b"),
        then: (),
    };
    let router = Router::new(vec![route], None).unwrap();
    let text: String = RUSSIAN.chars().cycle().take(5000).collect();
    let situation = Situation {
        text: &text,
        session_metadata: &Map::new(),
        message_metadata: &Map::new(),
        turns: 3,
    };
    criterion.bench_function("the slowest kind of pattern", |bencher| {
        bencher.iter(|| router.choose(black_box(&situation)).now_or_never());
    });
}

fn among_20_routes(criterion: &mut Criterion) {
    let router = router();
    let session_metadata = json!({"tier": "bronze"}).as_object().cloned().unwrap();
    let mut group = criterion.benchmark_group("choose among 20 routes");
    for (language, sentence) in [
        ("english", ENGLISH),
        ("russian", RUSSIAN),
        ("chinese", CHINESE),
    ] {
        for length in [50, 500, 5000] {
            let text: String = sentence.chars().cycle().take(length).collect();
            let situation = Situation {
                text: &text,
                session_metadata: &session_metadata,
                message_metadata: &Map::new(),
                turns: 3,
            };
            group.bench_function(BenchmarkId::new(language, length), |bencher| {
                bencher.iter(|| {
                    let choice = router.choose(black_box(&situation)).now_or_never();
                    assert!(choice.unwrap().then.is_none(), "no route holds");
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, among_20_routes, slowest_pattern);
criterion_main!(benches);
