//! What the calculator computes, what it refuses, and that nothing it is given brings it down.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use patter_tools::{Calculator, Tool as _, ToolContext, ToolError, ToolErrorKind, ToolRegistry};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

fn arguments(expression: &str) -> Map<String, Value> {
    json!({ "expression": expression })
        .as_object()
        .unwrap()
        .clone()
}

async fn calculate(expression: &str) -> Result<Value, ToolError> {
    let context = ToolContext::new("session", "call", Instant::now() + Duration::from_secs(20));
    let tools = ToolRegistry::new().with(Calculator::default()).unwrap();
    tools
        .call("calculator", arguments(expression), context)
        .await
}

/// Computes, or refuses, in far less than what a caller would notice; debug builds and a busy
/// machine are allowed for.
async fn calculate_quickly(expression: &str) -> Result<Value, ToolError> {
    let started = Instant::now();
    let answer = calculate(expression).await;
    let elapsed = started.elapsed();
    assert!(
        elapsed < Duration::from_secs(3),
        "{expression} took {elapsed:?}"
    );
    answer
}

#[tokio::test]
async fn expressions_have_their_values() {
    let table = [
        ("1 + 2 * 3", "7", true),
        ("(1 + 2) * 3", "9", true),
        ("2^3^2", "512", true),
        ("2 ** 10", "1024", true),
        ("-2^2", "-4", true),
        ("7 - -3", "10", true),
        ("0.1 + 0.2", "0.3", true),
        ("1/4", "0.25", true),
        ("1/3", "0.3333333333", false),
        ("10 mod 3", "1", true),
        ("15% of 240", "36", true),
        ("50%", "50%", true),
        ("240 * 15%", "3600%", true),
        ("20!", "2432902008176640000", true),
        ("10!/3", "1209600", true),
        ("2^100", "1267650600228229401496703205376", true),
        ("sqrt(16)", "4", true),
        ("sqrt(2)", "1.4142135624", false),
        ("√16 + 1", "5", true),
        ("√(9)", "3", true),
        ("5²", "25", true),
        ("2³ + 1", "9", true),
        ("abs(-5)", "5", true),
        ("ln(1)", "0", true),
        ("log10(1000)", "3", false),
        ("log2(8)", "3", false),
        ("sin(30 degrees)", "0.5", true),
        ("pi", "3.1415926536", false),
        ("floor(2.7)", "2", true),
        ("3 × 4", "12", true),
        ("12 ÷ 4 − 1", "2", true),
        ("1,234,567 + 1", "1234568", true),
        ("1,000.5 * 2", "2001", true),
        ("2(3 + 4)", "14", true),
        ("2.5(4)", "10", true),
        ("(1+2)(3+4)", "21", true),
        ("5 km to m", "5000 m", true),
        ("1 hour to minutes", "60 minutes", true),
        ("1e3 + 1", "1001", true),
        ("0xff + 1", "0x100", true),
        ("5 nCr 2", "10", true),
    ];
    let mut wrong = Vec::new();
    for (expression, value, exact) in table {
        let expected = json!({ "expression": expression, "result": value, "exact": exact });
        let answer = calculate(expression).await;
        if answer.as_ref() != Ok(&expected) {
            wrong.push((expression, answer));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_has_no_value_is_an_error_that_says_why() {
    let table = [
        ("1/0", ToolErrorKind::Failed, "division by zero"),
        ("2 +", ToolErrorKind::Failed, "cannot be computed"),
        ("three apples", ToolErrorKind::Failed, "apples"),
        ("()", ToolErrorKind::Failed, "no value"),
        ("", ToolErrorKind::InvalidArguments, "empty"),
        ("  ", ToolErrorKind::InvalidArguments, "empty"),
        ("(1 + 2", ToolErrorKind::InvalidArguments, "not closed"),
        ("1 + 2)", ToolErrorKind::InvalidArguments, "no `(`"),
        ("1,5 + 2", ToolErrorKind::InvalidArguments, "comma"),
        ("max(1,200)", ToolErrorKind::Failed, "max"),
        ("1,2,3", ToolErrorKind::InvalidArguments, "comma"),
        ("x = 5", ToolErrorKind::InvalidArguments, "'='"),
        ("2; 3", ToolErrorKind::InvalidArguments, "';'"),
        ("10%(3)", ToolErrorKind::InvalidArguments, "remainder"),
        ("2d6", ToolErrorKind::InvalidArguments, "dice"),
        (
            "\"text\"",
            ToolErrorKind::InvalidArguments,
            "not arithmetic",
        ),
        (
            "@2025-01-01",
            ToolErrorKind::InvalidArguments,
            "not arithmetic",
        ),
        ("x: x", ToolErrorKind::InvalidArguments, "':'"),
        ("2^20000", ToolErrorKind::TooLarge, "4096"),
        ("cosh(99999)", ToolErrorKind::Failed, "out of range"),
        ("1e999999999", ToolErrorKind::InvalidArguments, "exponent"),
        ("ln(1e-99999)", ToolErrorKind::InvalidArguments, "exponent"),
        ("1 << 99999999999", ToolErrorKind::InvalidArguments, "'<'"),
    ];
    let mut wrong = Vec::new();
    for (expression, kind, part) in table {
        match calculate(expression).await {
            Err(error) if error.kind() == kind && error.to_string().contains(part) => {}
            answer => wrong.push((expression, answer)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_complex_value_is_named_as_one() {
    for (expression, value) in [
        ("sqrt(-4)", "0 + 2i"),
        ("(1 + 2i) * 2", "2 + 4i"),
        ("i", "i"),
    ] {
        let answer = calculate(expression).await.unwrap();
        assert_eq!(answer["result"], value);
        assert_eq!(answer["complex"], true, "{expression}");
    }
    let answer = calculate("5 mi").await.unwrap();
    assert!(answer.get("complex").is_none(), "{answer}");
}

#[tokio::test]
async fn wrong_arguments_are_named() {
    let tools = ToolRegistry::new().with(Calculator::default()).unwrap();
    let table = [
        (json!({}), "expression"),
        (json!({ "expression": 5 }), "expression"),
        (json!({ "expression": "1", "precision": 2 }), "precision"),
    ];
    for (arguments, field) in table {
        let context = ToolContext::new("session", "call", Instant::now() + Duration::from_secs(9));
        let arguments = arguments.as_object().unwrap().clone();
        let error = tools
            .call("calculator", arguments, context)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ToolErrorKind::InvalidArguments);
        assert!(error.to_string().contains(&format!("`{field}`")), "{error}");
    }
}

#[tokio::test]
async fn what_takes_too_long_is_stopped() {
    for expression in [
        "2^10000000",
        "100000!",
        "9^9^9",
        "9^9^9^9",
        "fibonacci(1e12)",
        "1e9 nCr 5e8",
        "20000! / 3",
    ] {
        let error = calculate_quickly(expression).await.expect_err(expression);
        assert!(
            matches!(
                error.kind(),
                ToolErrorKind::Failed | ToolErrorKind::TooLarge
            ),
            "{expression}: {error}"
        );
    }
}

#[tokio::test]
async fn lambdas_are_refused() {
    for expression in [
        "f = x: x x; f f",
        "(x: x x) (x: x x)",
        "(x => x x) (x => x x)",
        r"(\x. x x) (\x. x x)",
        "(λx. x x) (λx. x x)",
        "a=b;b=a;a",
    ] {
        let error = calculate_quickly(expression).await.expect_err(expression);
        assert_eq!(
            error.kind(),
            ToolErrorKind::InvalidArguments,
            "{expression}"
        );
    }
}

#[tokio::test]
async fn too_long_expressions_are_refused() {
    for part in ["(", "-", "!", "1+"] {
        let error = calculate_quickly(&part.repeat(5000)).await.unwrap_err();
        assert_eq!(error.kind(), ToolErrorKind::InvalidArguments, "{part}");
    }
}

#[tokio::test]
async fn no_repetition_of_1_kib_overflows_the_stack_or_takes_long() {
    let parts = [
        "-",
        "+",
        "/",
        "!",
        "^",
        "1^",
        "2^-",
        "1!",
        "sqrt ",
        "√",
        "sin ",
        "sin",
        "a ",
        "1 a ",
        "1 m ",
        "of ",
        "a of ",
        "%",
        "1%",
        "5 % ",
        "1 to ",
        "m to ",
        "1 m to ",
        "1/",
        "1 1/2 ",
        "light ",
        "light year ",
        "1<<",
        "1&",
        "1|",
        "1 xor ",
        "nCr ",
        "9 nPr ",
        "mod ",
        "1 mod ",
        "²",
        "3²",
        "$",
        "$1 ",
        "°",
        "1,",
        "_",
        ".",
        "d",
        "1e",
        "per ",
        "() ",
        "()",
        "(1)",
        "not ",
        "conjugate ",
        "real ",
        "fibonacci ",
        "gamma ",
        "-1 ",
        "1 -",
    ];
    for part in parts {
        let repeated = part.repeat(1024 / part.len());
        let _value_or_error = calculate_quickly(&repeated).await;
        let with_end = format!("{}1", part.repeat(1016 / part.len()));
        let _value_or_error = calculate_quickly(&with_end).await;
    }
}

/// fend's parser takes time exponential in the depth for these, and cannot be interrupted.
#[tokio::test]
async fn deep_parentheses_neither_overflow_the_stack_nor_take_long() {
    let parts = [
        "(",
        "1(",
        "1.5(",
        "1 2(",
        "5%(",
        "5% (",
        "a(",
        "sin(",
        "1*1(",
        "-1(",
        "1 m(",
        "1m 1m(",
        "1m 1%(",
        "1/(",
        "2^(",
        "light (",
        "2 mod (",
        "sqrt of (",
        "0xf(",
        "d6(",
        "1!(",
        "()(",
        "1e3(",
        "1_0(",
        "½(",
        "٣(",
        "1, (",
        "1 ° (",
        "$(",
        "1 1/2(",
        "1. (",
        "0x(",
        "0b1(",
        "1e(",
    ];
    let tails = [
        "1",
        "1+",
        "1 1 1 $",
        "a a a a a a a a a a a a a a a a a a a a $ +",
    ];
    for part in parts {
        for depth in [8, 60] {
            for tail in tails {
                let expression = format!("{}{tail}{}", part.repeat(depth), ")".repeat(depth));
                let _value_or_error = calculate_quickly(&expression).await;
            }
        }
    }
}

#[tokio::test]
async fn a_dropped_call_makes_room_for_others() {
    let calculator = Calculator::default();
    let context = || ToolContext::new("session", "call", Instant::now() + Duration::from_secs(20));
    for _ in 0..20 {
        let call = calculator.call(arguments("9^9^9"), context());
        // Polled once, so that its computation has begun, then dropped.
        let begun = tokio::time::timeout(Duration::ZERO, call).await;
        assert!(begun.is_err(), "{begun:?}");
    }
    let answer = calculator
        .call(arguments("1 + 1"), context())
        .await
        .unwrap();
    assert_eq!(answer["result"], "2");
}

#[tokio::test]
async fn many_calls_at_once_all_get_their_answers() {
    let calculator = Calculator::default();
    let answers = futures_util::future::join_all((0..20).map(|number| {
        let context = ToolContext::new("session", "call", Instant::now() + Duration::from_secs(20));
        calculator.call(arguments(&format!("{number} * 2")), context)
    }))
    .await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap()["result"], (number * 2).to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_run_away_from_the_calculator() {
    assert_eq!(calculate("6 * 7").await.unwrap()["result"], "42");
}

#[test]
fn the_schema_stays_the_same() {
    insta::assert_json_snapshot!(Calculator::default().spec().parameters);
}
