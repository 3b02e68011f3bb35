//! Simulated price of a share.

use serde_json::{Value, json};

use super::seed::Seed;

/// Ticker symbols of companies that people ask for by name.
const SYMBOLS: [(&str, &str); 10] = [
    ("alphabet", "GOOGL"),
    ("amazon", "AMZN"),
    ("apple", "AAPL"),
    ("google", "GOOGL"),
    ("intel", "INTC"),
    ("meta", "META"),
    ("microsoft", "MSFT"),
    ("netflix", "NFLX"),
    ("nvidia", "NVDA"),
    ("tesla", "TSLA"),
];

/// A company that is known by name gets the price of its symbol.
pub(super) fn fetch(query: &str, seed: Seed) -> Value {
    let name = query.to_lowercase();
    let known = SYMBOLS.iter().find(|(company, _)| *company == name);
    let (symbol, mut seed) = match known {
        Some((_, symbol)) => ((*symbol).to_owned(), Seed::new("stock", symbol)),
        None => (query.to_uppercase(), seed),
    };
    json!({
        "symbol": symbol,
        "price_usd": seed.hundredths(500, 90_000),
        "change_percent": seed.hundredths(-450, 450),
        "volume": seed.between(100_000, 90_000_000),
    })
}
