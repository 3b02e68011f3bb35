//! The keys of what may be spent.

use super::super::key::{Key, Section};
use super::super::kind::Kind;
use super::integer;

const USD: Kind = Kind::Decimal {
    min: 0.0,
    max: 1_000_000.0,
};
const TOKENS: Kind = integer(1, 1_000_000_000_000);

pub(super) const BUDGETS: Section = Section {
    title: "Budgets",
    keys: &[
        Key::new(
            "budgets.turn_usd",
            USD,
            "US dollars that one answer may cost; `0` for no such cap. Caps in dollars do not bind models \
             without a price.",
        )
        .default("0.5"),
        Key::new(
            "budgets.turn_tokens",
            TOKENS,
            "Tokens, read and written, that one answer may take. No such cap where nothing is given.",
        )
        .example("200000"),
        Key::new(
            "budgets.session_usd",
            USD,
            "US dollars that one session may cost, from its beginning on; `0` for no such cap.",
        )
        .default("5"),
        Key::new(
            "budgets.session_tokens",
            TOKENS,
            "Tokens that one session may take. No such cap where nothing is given.",
        )
        .example("2000000"),
        Key::new(
            "budgets.user_day_usd",
            USD,
            "US dollars that one user may cost in a day by UTC; `0` for no such cap. Where nobody is known, \
             it holds for one session.",
        )
        .default("20"),
        Key::new(
            "budgets.user_day_tokens",
            TOKENS,
            "Tokens that one user may take in a day by UTC. No such cap where nothing is given.",
        )
        .example("5000000"),
    ],
};
