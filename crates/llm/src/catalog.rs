//! What is known of models: windows, limits, prices, and when they end.
//!
//! The table is `models.toml`, as of its date. Who runs a server knows better and can add to it.
//! What is not in the table is not known: an unknown price is never zero.

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::event::Usage;

pub use info::{ModelInfo, Price, rounded_usd};

mod info;

#[expect(clippy::expect_used, reason = "a test reads the file")]
static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
    toml::from_str(include_str!("../models.toml")).expect("models.toml is as it should be")
});

/// A table of models.
///
/// A model is found by the name of its provider, which is [`ChatModel::provider`], and its own.
/// The built-in rows are those of `gemini` and `openai`, and they hold for Google and OpenAI
/// themselves. Somebody else's server has another name and so none of these rows, even if its
/// models are called the same; one that is reached under the name `openai` or `gemini` all the
/// same must be taken out by [`Catalog::without_provider`].
///
/// [`ChatModel::provider`]: crate::ChatModel::provider
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    date: NaiveDate,
    models: Vec<ModelInfo>,
}

impl Catalog {
    /// The table that comes with this crate.
    #[must_use]
    pub fn builtin() -> Self {
        BUILTIN.clone()
    }

    /// The day on which the built-in table was last compared with what providers say.
    #[must_use]
    pub fn date(&self) -> NaiveDate {
        self.date
    }

    /// Every row, those of the built-in table first.
    pub fn models(&self) -> impl Iterator<Item = &ModelInfo> {
        self.models.iter()
    }

    /// Adds what is known of a model. What the new row leaves open stays as it was; prices are
    /// replaced as a whole.
    #[must_use]
    pub fn with(mut self, mut info: ModelInfo) -> Self {
        let bare = bare_name(&info.provider, &info.name);
        info.name = bare.to_owned();
        let known = self.find(&info.provider, &info.name).cloned();
        self.models
            .retain(|row| row.provider != info.provider || row.name != info.name);
        self.models.push(match known {
            Some(known) => known.updated(info),
            None => info,
        });
        self
    }

    /// Forgets the models of a provider: what is called so is not who the table speaks of, as
    /// with a base URL of one's own under the name `openai`.
    #[must_use]
    pub fn without_provider(mut self, provider: &str) -> Self {
        self.models.retain(|row| row.provider != provider);
        self
    }

    /// The model of that name at that provider. A name may begin with `models/` or with the
    /// provider's name and a slash, and end with a date (`-2026-09-22`) where the table has it
    /// without; it is never shortened otherwise.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str) -> Option<&ModelInfo> {
        let row = |name: &str| {
            self.models
                .iter()
                .find(|row| row.provider == provider && row.name == name)
        };
        let bare = bare_name(provider, model);
        row(bare).or_else(|| row(without_date(bare)?))
    }

    /// What one answer cost on that day, in USD; `None` where a count, a price or the model is
    /// not known, and once the model is shut down.
    ///
    /// `usage` must be of one request: where large requests are dearer, a sum over several would
    /// be taken for one of these. Input that the provider does not report as cached is charged in
    /// full. What sound costs more than text is not in the cost.
    ///
    /// An `f64` is enough: prices have a few digits and it holds fifteen, so that the sum over a
    /// million answers is right to far less than a cent; and it is no invoice.
    #[must_use]
    pub fn cost(&self, provider: &str, model: &str, usage: &Usage, day: NaiveDate) -> Option<f64> {
        self.find(provider, model)?.cost(usage, day)
    }
}

/// The name without what stands before it in lists of models (`models/NAME`, of Gemini) and at
/// gateways (`PROVIDER/NAME`).
fn bare_name<'a>(provider: &str, model: &'a str) -> &'a str {
    let gateway = model
        .strip_prefix(provider)
        .and_then(|rest| rest.strip_prefix('/'));
    gateway
        .or_else(|| model.strip_prefix("models/"))
        .unwrap_or(model)
}

/// The name without the date of a snapshot, if it ends with one.
fn without_date(model: &str) -> Option<&str> {
    let mut pieces = model.rsplitn(4, '-');
    for digits in [2, 2, 4] {
        let piece = pieces.next()?;
        if piece.len() != digits || !piece.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    pieces.next()
}
