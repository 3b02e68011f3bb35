//! What a question wants done with tools: what can be done at once, and what needs a result first.

use serde_json::{Map, Value, json};

use crate::demo::answer;
use crate::demo::arithmetic::{self, Found, THAT};
use crate::demo::lookup::{self, Lookup};
use crate::demo::toolbox::{CALCULATOR, DATA_FETCHER, results};
use crate::demo::words::has;
use crate::message::{Message, ToolCall, ToolResult};
use crate::request::ChatRequest;

/// At most so many things are done at once.
const MAX_CALLS: usize = 8;

/// What a question wants done with tools.
#[derive(Debug)]
pub(super) struct Wish {
    lookups: Vec<Lookup>,
    /// Expressions that depend on nothing.
    sums: Vec<String>,
    then: Then,
}

/// What is to be computed from results.
#[derive(Debug)]
enum Then {
    Nothing,
    /// One after the other, each from the one before; the first from the last of the sums, or
    /// from the first lookup.
    Chain {
        steps: Vec<String>,
        from_sum: bool,
    },
    /// The temperature of every lookup, in Fahrenheit.
    Fahrenheit,
    /// What the first lookup has more than the second.
    Difference,
    /// The price of so many shares of each lookup.
    Shares(Vec<String>),
}

impl Wish {
    pub(super) fn read(question: &str, earlier: &[Message]) -> Self {
        let found = arithmetic::find(question);
        let before =
            last_result(earlier, DATA_FETCHER).and_then(|result| result.get("data_type")?.as_str());
        let mut lookups = lookup::find(question, before);
        lookups.truncate(MAX_CALLS);
        let mut sums = Vec::new();
        let mut steps = Vec::new();
        let mut from_sum = false;
        for found in found {
            match found {
                Found::Whole(expression) => sums.push(expression),
                Found::After(step) if sums.is_empty() && lookups.is_empty() => {
                    // "And that times 2?"
                    sums.extend(last_number(earlier).map(|number| fill(&step, &number)));
                }
                Found::After(step) => {
                    from_sum |= steps.is_empty() && !sums.is_empty();
                    steps.push(step);
                }
            }
        }
        sums.truncate(MAX_CALLS);
        let shares = numbers_of_shares(question);
        let then = if lookups.is_empty() && !from_sum {
            Then::Nothing
        } else if has(question, "fahrenheit") {
            Then::Fahrenheit
        } else if !shares.is_empty() && shares.len() == lookups.len() {
            Then::Shares(shares)
        } else if lookups.len() == 2 && has(question, "difference") {
            Then::Difference
        } else {
            Then::Chain { steps, from_sum }
        };
        Self {
            lookups,
            sums,
            then,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lookups.is_empty() && self.sums.is_empty()
    }

    pub(super) fn missing_tool(&self, request: &ChatRequest) -> Option<&'static str> {
        let declared = |name| request.tools.iter().any(|tool| tool.name == name);
        let computes = !self.sums.is_empty()
            || match &self.then {
                Then::Nothing => false,
                Then::Chain { steps, .. } => !steps.is_empty(),
                Then::Fahrenheit | Then::Difference | Then::Shares(_) => true,
            };
        [
            (DATA_FETCHER, !self.lookups.is_empty()),
            (CALCULATOR, computes),
        ]
        .into_iter()
        .find_map(|(tool, needed)| (needed && !declared(tool)).then_some(tool))
    }

    /// All that depends on nothing.
    pub(super) fn first_calls(&self) -> Vec<ToolCall> {
        let lookups = self.lookups.iter().map(|Lookup { data_type, query }| {
            call(
                DATA_FETCHER,
                [("data_type", json!(data_type)), ("query", json!(query))],
            )
        });
        let sums = self.sums.iter().map(|sum| calculation(sum));
        lookups.chain(sums).collect()
    }

    /// What depends on a result that has come since, and has not been called yet.
    pub(super) fn second_calls(&self, results: &[&ToolResult]) -> Vec<ToolCall> {
        let computed: Vec<&ToolResult> = results
            .iter()
            .filter(|result| result.name == CALCULATOR)
            .copied()
            .collect();
        let done = computed.len().saturating_sub(self.sums.len());
        let found: Vec<String> = results
            .iter()
            .filter(|result| result.name == DATA_FETCHER)
            .filter_map(|result| answer::main_number(result))
            .collect();
        let expressions = match &self.then {
            Then::Chain { steps, from_sum } => {
                let number = if done > 0 || *from_sum {
                    computed.last().and_then(|it| answer::main_number(it))
                } else {
                    found.first().cloned()
                };
                let step = steps.get(done).zip(number);
                step.map(|(step, number)| fill(step, &number))
                    .into_iter()
                    .collect()
            }
            Then::Nothing => Vec::new(),
            _ if done > 0 => Vec::new(),
            Then::Fahrenheit => found.iter().map(|it| format!("{it} °C to °F")).collect(),
            Then::Difference => match found.as_slice() {
                [one, other] => vec![format!("{one} - {}", fill(THAT, other))],
                _ => Vec::new(),
            },
            Then::Shares(numbers) if numbers.len() == found.len() => {
                let parts: Vec<String> = found
                    .iter()
                    .zip(numbers)
                    .map(|(price, number)| format!("{price} * {number}"))
                    .collect();
                vec![parts.join(" + ")]
            }
            Then::Shares(_) => Vec::new(),
        };
        expressions.iter().map(|it| calculation(it)).collect()
    }
}

/// The step with the number in it.
fn fill(step: &str, number: &str) -> String {
    let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    if is_plain {
        step.replace(THAT, number)
    } else {
        step.replace(THAT, &format!("({number})"))
    }
}

/// What this tool gave last.
fn last_result<'a>(messages: &'a [Message], tool: &str) -> Option<&'a Value> {
    let results = results(messages);
    let result = results.iter().rfind(|result| result.name == tool)?;
    result.outcome.as_ref().ok()
}

/// The number that came out last.
fn last_number(messages: &[Message]) -> Option<String> {
    results(messages)
        .iter()
        .rev()
        .find_map(|result| answer::main_number(result))
}

/// "12 shares of AAPL and one share of MSFT": how many, in order.
fn numbers_of_shares(question: &str) -> Vec<String> {
    let words: Vec<&str> = question.split_whitespace().collect();
    let numbers = words.windows(2).filter_map(|pair| match pair {
        [number, "shares" | "share"] if number.chars().all(|c| c.is_ascii_digit()) => {
            Some((*number).to_owned())
        }
        _ => None,
    });
    numbers.collect()
}

fn calculation(expression: &str) -> ToolCall {
    call(CALCULATOR, [("expression", json!(expression))])
}

fn call<const N: usize>(name: &str, arguments: [(&str, Value); N]) -> ToolCall {
    let arguments: Map<String, Value> = arguments
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    ToolCall {
        id: String::new(),
        name: name.to_owned(),
        arguments,
    }
}
