//! The report for a terminal.

use std::fmt;

use super::super::table::Table;
use super::{End, Model, ModelsReport, Named};

impl fmt::Display for ModelsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.choice())?;
        writeln!(f, "{}", self.provider_table())?;
        writeln!(
            f,
            "prices in USD for a million tokens, as of {}; - is not known",
            self.prices_as_of
        )?;
        write!(f, "{}", self.model_table())
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.model, self.provider)
    }
}

impl ModelsReport {
    /// Who answers when.
    fn choice(&self) -> Table {
        let mut table = Table::default();
        table.row(["primary".into(), format!("{}: {}", self.primary, self.why)]);
        let auto = format!("would take {}: {}", self.auto.provider, self.auto.why);
        table.row(["auto".into(), auto]);
        for (place, fallback) in self.fallbacks.iter().enumerate() {
            table.row([format!("fallback {}", place + 1), fallback.to_string()]);
        }
        for route in &self.routes {
            table.row([format!("route {}", route.name), route.target.to_string()]);
        }
        if let Some(classifier) = &self.classifier {
            table.row(["classifier".into(), classifier.to_string()]);
        }
        table
    }

    fn provider_table(&self) -> Table {
        let mut table = Table::default();
        table.row(["PROVIDER", "SPEAKS", "STATE", "WHERE"]);
        for provider in &self.providers {
            let state = provider.missing.as_deref().unwrap_or("ready");
            let place = provider.base_url.as_deref().unwrap_or_default();
            table.row([&provider.name, provider.kind.as_str(), state, place]);
        }
        table
    }

    fn model_table(&self) -> Table {
        let mut table = Table::default();
        table.row([
            "PROVIDER",
            "MODEL",
            "WINDOW",
            "ANSWER",
            "IN",
            "OUT",
            "CACHED",
            "USED, END",
        ]);
        for model in &self.models {
            table.row(cells(model));
        }
        table
    }
}

fn cells(model: &Model) -> [String; 8] {
    let number = |number: Option<u64>| number.map_or("-".into(), |number| number.to_string());
    let price = |price: Option<f64>| price.map_or("-".into(), price_text);
    let end = match (model.shut_down, model.end) {
        (Some(day), End::Past) => Some(format!("shut down since {day}")),
        (Some(day), End::Near) => Some(format!("shuts down on {day}")),
        _ => None,
    };
    // In one column, or the lines of a common terminal would not hold them.
    let notes: Vec<_> = model.used.iter().cloned().chain(end).collect();
    [
        model.name.provider.clone(),
        model.name.model.clone(),
        number(model.context_window),
        number(model.max_output_tokens),
        price(model.price.and_then(|price| price.input)),
        price(model.price.and_then(|price| price.output)),
        price(model.price.and_then(|price| price.cached_input)),
        notes.join(", "),
    ]
}

/// At least two digits, as prices are written, and as many more as there are.
fn price_text(price: f64) -> String {
    let exact = price.to_string();
    let digits = exact.split_once('.').map_or(0, |(_, digits)| digits.len());
    format!("{price:.*}", digits.max(2))
}
