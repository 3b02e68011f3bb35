//! Who pays for what a model is asked, and by which prices.

use std::sync::Arc;

use patter_llm::{Catalog, Usage};
use patter_store::{Line, Spend};

use super::books::Books;
use super::estimate::Estimate;
use super::{Spender, today};

/// So many tokens a price is found out for.
const SAMPLE: u64 = 1_000;

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Bill {
    pub(super) books: Books,
    spender: Arc<Spender>,
    prices: Option<Arc<Catalog>>,
}

/// What a token costs, in millionths of a US dollar; nothing where that is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Rate {
    input: f64,
    output: f64,
}

impl Rate {
    pub(super) fn is_known(self) -> bool {
        self != Self::default()
    }

    /// What so many tokens are, by both measures. What is a part of a millionth counts as a whole one.
    pub(super) fn of(self, used: Estimate) -> Spend {
        let micro_usd =
            used.input_tokens as f64 * self.input + used.output_tokens as f64 * self.output;
        Spend {
            tokens: used.input_tokens.saturating_add(used.output_tokens),
            micro_usd: whole(micro_usd),
        }
    }
}

impl Bill {
    pub(crate) fn new(books: Books, spender: Arc<Spender>, prices: Option<Arc<Catalog>>) -> Self {
        Self {
            books,
            spender,
            prices,
        }
    }

    /// What is to be booked on today.
    pub(super) fn lines(&self) -> Vec<Line> {
        self.books.budgets().lines(&self.spender, today())
    }

    /// What a token costs in a request of so many.
    pub(super) fn rate(&self, provider: &str, model: &str, input_tokens: u64) -> Rate {
        let input_tokens = input_tokens.max(1);
        let cost = |output_tokens| {
            let usage = Usage {
                input_tokens: Some(input_tokens),
                output_tokens: Some(output_tokens),
                ..Usage::default()
            };
            let prices = self.prices.as_ref();
            prices.and_then(|it| it.cost(provider, model, &usage, today()))
        };
        let (Some(asked), Some(answered)) = (cost(0), cost(SAMPLE)) else {
            return Rate::default();
        };
        Rate {
            input: asked * 1e6 / input_tokens as f64,
            output: (answered - asked) * 1e6 / SAMPLE as f64,
        }
    }

    /// What a step used: as its provider says, and as it was thought where it does not.
    pub(super) fn actual(
        &self,
        provider: &str,
        model: &str,
        usage: Usage,
        thought: Estimate,
    ) -> Spend {
        let used = Estimate {
            input_tokens: usage.input_tokens.unwrap_or(thought.input_tokens),
            output_tokens: usage.output_tokens.unwrap_or(thought.output_tokens),
        };
        let usage = Usage {
            input_tokens: Some(used.input_tokens),
            output_tokens: Some(used.output_tokens),
            ..usage
        };
        let prices = self.prices.as_ref();
        let cost = prices.and_then(|it| it.cost(provider, model, &usage, today()));
        let by_rate = self.rate(provider, model, used.input_tokens).of(used);
        Spend {
            micro_usd: cost.map_or(by_rate.micro_usd, |usd| whole(usd * 1e6)),
            ..by_rate
        }
    }

    /// Books what was spent already, whatever the caps: what is asked beside the answers.
    pub(crate) fn charge(
        &self,
        provider: &str,
        model: &str,
        usage: Usage,
        input_tokens: u64,
        output_tokens: u64,
    ) {
        let thought = Estimate {
            input_tokens,
            output_tokens,
        };
        let spent = self.actual(provider, model, usage, thought);
        self.books
            .owe(&self.lines(), spent.correction_of(Spend::default()));
    }
}

/// As a whole number; what is a part of one counts as one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float ends at the bounds, and costs are not below zero"
)]
pub(super) fn whole(micro_usd: f64) -> u64 {
    // What only rounding made of it is nothing.
    (micro_usd - 1e-6).ceil() as u64
}
