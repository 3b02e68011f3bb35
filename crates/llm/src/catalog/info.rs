//! What is known of one model.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::event::Usage;
use crate::tokens::Tokenizer;

/// What is known of one model at one provider. Whatever is `None`, or not listed, is not known.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// The [`ChatModel::provider`](crate::ChatModel::provider) that has it.
    pub provider: String,
    /// Its name there.
    pub name: String,
    /// Whether it is the one that is asked where only its provider is named.
    #[serde(default)]
    pub default: bool,
    /// How many tokens a request and its answer may have together.
    pub context_window: Option<u64>,
    /// How many tokens a request may have, where that is less than the window.
    pub max_input_tokens: Option<u64>,
    /// How many tokens an answer may have, reasoning included.
    pub max_output_tokens: Option<u64>,
    /// Tokens of a picture, at the most that its provider makes of one when not told otherwise.
    pub image_tokens: Option<u64>,
    /// Which vocabulary it has.
    pub tokenizer: Option<Tokenizer>,
    /// The first day on which its provider does not answer for it.
    pub shut_down: Option<NaiveDate>,
    /// What it costs. The first row that fits a request and its day is the one that counts.
    #[serde(default)]
    pub prices: Vec<Price>,
}

/// Prices in USD for a million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The last day on which they hold.
    pub until: Option<NaiveDate>,
    /// The largest request that they hold for, in tokens. A larger one is charged by another row
    /// as a whole.
    pub input_up_to: Option<u64>,
    /// For what is asked.
    pub input: Option<f64>,
    /// For what is answered, reasoning included.
    pub output: Option<f64>,
    /// For what is asked and was in the provider's cache.
    pub cached_input: Option<f64>,
    /// For what is asked and is put into the provider's cache; as `input` where it is absent.
    pub cache_write: Option<f64>,
}

/// The amount to a trillionth of a dollar, so that what adding in binary leaves behind (0.1 + 0.2 is
/// 0.30000000000000004) is not shown to anybody. For sums of costs; nothing is lost, as prices for a
/// million tokens have six digits at most.
#[must_use]
pub fn rounded_usd(amount: f64) -> f64 {
    (amount * 1e12).round() / 1e12
}

impl ModelInfo {
    /// A model of which nothing is known.
    pub fn new(provider: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            provider: provider.into(),
            name: name.into(),
            default: false,
            context_window: None,
            max_input_tokens: None,
            max_output_tokens: None,
            image_tokens: None,
            tokenizer: None,
            shut_down: None,
            prices: Vec::new(),
        }
    }

    /// Whether its provider has ended it by that day.
    #[must_use]
    pub fn is_shut_down(&self, day: NaiveDate) -> bool {
        self.shut_down.is_some_and(|end| day >= end)
    }

    /// The prices on that day for a request of so many tokens.
    #[must_use]
    pub fn price(&self, day: NaiveDate, input_tokens: u64) -> Option<&Price> {
        if self.is_shut_down(day) {
            return None;
        }
        self.prices.iter().find(|price| {
            price.until.is_none_or(|last| day <= last)
                && price.input_up_to.is_none_or(|most| input_tokens <= most)
        })
    }

    /// What one answer of that day cost, in USD; see [`Catalog::cost`](crate::Catalog::cost).
    #[must_use]
    pub fn cost(&self, usage: &Usage, day: NaiveDate) -> Option<f64> {
        let (input, output) = (usage.input_tokens?, usage.output_tokens?);
        let cached = usage.cached_input_tokens.unwrap_or(0);
        let written = usage.cache_write_tokens.unwrap_or(0);
        let price = self.price(day, input)?;
        let parts = [
            (
                input.checked_sub(cached)?.checked_sub(written)?,
                price.input,
            ),
            (written, price.cache_write.or(price.input)),
            (cached, price.cached_input),
            (output, price.output),
        ];
        parts
            .into_iter()
            .try_fold(0.0, |sum, (tokens, price)| match tokens {
                // What was not used costs nothing, whatever its price.
                0 => Some(sum),
                tokens => Some(sum + tokens as f64 * price? / 1e6),
            })
            .map(rounded_usd)
    }

    /// Itself, with what the other knows better.
    pub(super) fn updated(self, newer: Self) -> Self {
        Self {
            provider: newer.provider,
            name: newer.name,
            default: newer.default || self.default,
            context_window: newer.context_window.or(self.context_window),
            max_input_tokens: newer.max_input_tokens.or(self.max_input_tokens),
            max_output_tokens: newer.max_output_tokens.or(self.max_output_tokens),
            image_tokens: newer.image_tokens.or(self.image_tokens),
            tokenizer: newer.tokenizer.or(self.tokenizer),
            shut_down: newer.shut_down.or(self.shut_down),
            prices: if newer.prices.is_empty() {
                self.prices
            } else {
                newer.prices
            },
        }
    }
}
