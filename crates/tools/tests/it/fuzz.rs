//! The fuzz target of the calculator. An ordinary test for a second; `cargo xtask fuzz calculator` runs it
//! longer.

use std::time::Duration;

use bolero::check;
use patter_testkit::mutated::Mutated;
use patter_tools::{Calculator, Tool, ToolContext, ToolError};
use serde_json::json;
use tokio::runtime::Builder;
use tokio::time::Instant;

const EXPRESSIONS: &str = include_str!("calculator_tables/expressions.tsv");
const MALFORMED: &str = include_str!("calculator_tables/malformed.tsv");

const WORDS: &[&str] = &[
    "(",
    ")",
    "[",
    "-",
    "+",
    "^",
    "**",
    "!",
    "%",
    "% of ",
    "mod ",
    " nCr ",
    "√",
    "²",
    "×",
    "∞",
    "0x",
    "1e",
    "e-",
    "9",
    ".",
    ",",
    "$",
    "°",
    "i",
    "pi",
    "sqrt",
    "sin ",
    "acosh ",
    "ln(",
    "fib ",
    "round ",
    " to ",
    " to dp",
    " to fraction",
    " in roman",
    " to words",
    "km",
    "light years",
    "degrees",
    "today",
    "2024-02-29",
    " days",
    "weekday of ",
    "\\x.",
    ":",
    "=",
    ";",
    "'",
    "\"",
    "@",
    "#",
    "\0",
    "\u{2028}",
];

/// So long at most, on a busy machine in a debug build; alone it is a fifth of a second.
const LIMIT: Duration = Duration::from_secs(5);
const MAX_RESULT_BYTES: usize = 4096;

/// Any text has a value of a bounded size or an error, in bounded time, and nothing is left computing. What would
/// overflow the stack, and so end the process, is stopped before that: the process of this test would end.
#[test]
fn fuzz_calculator() {
    let lines = EXPRESSIONS.lines().chain(MALFORMED.lines());
    let seeds = lines.filter_map(|line| line.split('\t').next());
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let expressions = Mutated::new(seeds, WORDS);
    check!().with_generator(expressions).for_each(|expression| {
        let arguments = json!({ "expression": expression });
        let arguments = arguments.as_object().unwrap().clone();
        let started = Instant::now();
        let context = ToolContext::new("session", "call", started + LIMIT);
        let answer = runtime.block_on(Calculator::default().call(arguments, context));
        assert!(started.elapsed() < LIMIT, "took {:?}", started.elapsed());
        let left_alone = matches!(answer, Err(ToolError::Timeout { .. }));
        assert!(!left_alone, "it cannot be interrupted");
        if let Ok(value) = answer {
            let result = value.get("result").and_then(|it| it.as_str()).unwrap();
            assert!((1..=MAX_RESULT_BYTES).contains(&result.len()));
            assert_eq!(value.get("expression"), Some(&json!(expression)));
        }
    });
}
