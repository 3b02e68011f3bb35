//! The calculator against values that were computed without it: a table, and an evaluator of fractions.
//!
//! Each line of `expressions.tsv` has an expression, its value, whether that is exact, and where it is
//! from: Python's integers, `fractions`, `decimal` (60 digits) and `math`, definitions of units, or
//! hand. `malformed.tsv` has what is no expression, and a part of what is said about it.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt;
use std::time::Duration;

use patter_tools::{Calculator, Tool as _, ToolContext, ToolError};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

const EXPRESSIONS: &str = include_str!("calculator_tables/expressions.tsv");
const MALFORMED: &str = include_str!("calculator_tables/malformed.tsv");

async fn calculate(expression: &str) -> Result<Value, ToolError> {
    let context = ToolContext::new("session", "call", Instant::now() + Duration::from_secs(20));
    let arguments = json!({ "expression": expression });
    let arguments = arguments.as_object().unwrap().clone();
    Calculator::default().call(arguments, context).await
}

/// Ten digits are shown, and the unit if there is one.
fn is_near(shown: &str, value: &str) -> bool {
    let parts = |text: &str| {
        let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
        (number.parse::<f64>().unwrap(), unit.to_owned())
    };
    let ((shown, shown_unit), (value, unit)) = (parts(shown), parts(value));
    (shown - value).abs() <= value.abs().max(1.0) * 1e-10 && shown_unit == unit
}

#[tokio::test]
async fn expressions_have_the_values_that_others_computed() {
    let mut wrong = Vec::new();
    for line in EXPRESSIONS.lines() {
        let mut fields = line.split('\t');
        let [expression, value, kind] = [(); 3].map(|()| fields.next().unwrap());
        let is_exact = kind == "exact";
        let is_right = calculate(expression).await.is_ok_and(|answer| {
            let shown = answer["result"].as_str().unwrap();
            let is_value = if is_exact {
                shown == value
            } else {
                is_near(shown, value)
            };
            is_value && answer["exact"] == is_exact
        });
        if !is_right {
            wrong.push((line, calculate(expression).await));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(EXPRESSIONS.lines().count() >= 200);
}

#[tokio::test]
async fn what_is_no_expression_is_an_error_that_says_why() {
    let mut wrong = Vec::new();
    for line in MALFORMED.lines() {
        let (expression, part) = line.split_once('\t').unwrap();
        match calculate(expression).await {
            Err(error) if error.to_string().contains(part) => {}
            answer => wrong.push((line, answer)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(MALFORMED.lines().count() >= 50);
}

/// A fraction in lowest terms with a denominator above zero.
#[derive(Debug, Clone, Copy)]
struct Fraction {
    numerator: i128,
    denominator: i128,
}

#[derive(Debug, Clone)]
enum Expression {
    Integer(i128),
    Binary(Box<Self>, char, Box<Self>),
}

impl Fraction {
    fn new(numerator: i128, denominator: i128) -> Option<Self> {
        let (mut divisor, mut rest) = (numerator.abs(), denominator.abs());
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        if denominator == 0 {
            return None;
        }
        let sign = denominator.signum();
        Some(Self {
            numerator: sign * numerator / divisor.max(1),
            denominator: denominator.abs() / divisor.max(1),
        })
    }
}

impl Expression {
    /// The value; `None` where something is divided by zero.
    fn value(&self) -> Option<Fraction> {
        match self {
            Self::Integer(integer) => Fraction::new(*integer, 1),
            Self::Binary(left, operator, right) => {
                let (a, b) = (left.value()?, right.value()?);
                let common = a.denominator * b.denominator;
                let [left, right] = [a.numerator * b.denominator, b.numerator * a.denominator];
                match operator {
                    '+' => Fraction::new(left + right, common),
                    '-' => Fraction::new(left - right, common),
                    '*' => Fraction::new(a.numerator * b.numerator, common),
                    _ => Fraction::new(left, right),
                }
            }
        }
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(f, "{}", self.numerator),
            denominator => write!(f, "{}/{denominator}", self.numerator),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) if *integer < 0 => write!(f, "({integer})"),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Binary(left, operator, right) => write!(f, "({left} {operator} {right})"),
        }
    }
}

fn expressions() -> impl Strategy<Value = Expression> {
    let integer = (-99_i128..100).prop_map(Expression::Integer);
    integer.prop_recursive(4, 16, 2, |inner| {
        let operators = prop::sample::select(vec!['+', '-', '*', '/']);
        let binary = (inner.clone(), operators, inner);
        binary.prop_map(|(left, operator, right)| {
            Expression::Binary(Box::new(left), operator, Box::new(right))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn integers_and_fractions_are_computed_as_by_hand(expression in expressions()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let answer = runtime.block_on(calculate(&format!("{expression} to fraction")));
        match expression.value() {
            Some(value) => prop_assert_eq!(&answer.unwrap()["result"], &value.to_string()),
            None => prop_assert!(answer.unwrap_err().to_string().contains("division by zero")),
        }
    }
}
