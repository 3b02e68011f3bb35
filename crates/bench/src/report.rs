//! What a run has found: tables on the terminal, and for a whole run `docs/performance.md` between its
//! marks, its plots, and the figures as JSON.

mod targets;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::Path;

use anyhow::Context;

use crate::figures::Figures;
use crate::plot;
use crate::run::Results;
use crate::scenario::{Column, Scenario};
use crate::server::Server;

const PAGE: &str = "performance.md";
const FIGURES: &str = "performance/figures.json";
const BEGIN: &str = "<!-- begin of what `cargo xtask bench` writes -->\n";
const END: &str = "<!-- end of what `cargo xtask bench` writes -->\n";

/// A process of one thread that is busy for more of the time is what limits.
const BUSY: f64 = 0.9;

/// The figures of each server in one scenario.
pub type Found = BTreeMap<Server, Figures>;

/// Prints the table of a scenario.
///
/// # Errors
///
/// If there is nobody to print for.
pub fn print(scenario: Scenario, found: &Found) -> anyhow::Result<()> {
    writeln!(stdout(), "\n{}", table(scenario, found)?)?;
    Ok(())
}

/// Writes the page, the plots and the figures below this folder.
///
/// # Errors
///
/// If a file cannot be read or written, or the page has no marks.
pub fn write(results: &Results, docs: &Path) -> anyhow::Result<()> {
    let page = docs.join(PAGE);
    let old = fs::read_to_string(&page)
        .with_context(|| format!("could not read `{}`", page.display()))?;
    let (head, rest) = old.split_once(BEGIN).context("the page has no begin")?;
    let (_, tail) = rest.split_once(END).context("the page has no end")?;
    let figures = docs.join(FIGURES);
    fs::create_dir_all(figures.parent().context("the figures have no folder")?)?;
    let plots = plot::write_all(results, docs)?;
    fs::write(
        page,
        format!("{head}{BEGIN}{}{END}{tail}", text(results, &plots)?),
    )?;
    fs::write(figures, serde_json::to_string_pretty(results)? + "\n")?;
    Ok(())
}

fn text(results: &Results, plots: &str) -> anyhow::Result<String> {
    let machine = &results.machine;
    let mut text = format!(
        "\nMeasured on {}: {}, {} cores, {} GiB, Linux {}. Everything ran on this machine: the server, \
         PostgreSQL, the provider and the users.\n",
        machine.date, machine.processor, machine.cores, machine.memory_gib, machine.kernel
    );
    write!(text, "\n### Targets\n\n{}", targets::table(results))?;
    write!(text, "\n### At a glance\n\n{plots}")?;
    for (scenario, found) in &results.scenarios {
        write!(text, "\n{}", table(*scenario, found)?)?;
    }
    text.push('\n');
    Ok(text)
}

fn table(scenario: Scenario, found: &Found) -> anyhow::Result<String> {
    let columns = scenario.columns();
    let mut table = format!("### {scenario}\n\n| |");
    for column in columns {
        write!(table, " {} |", column.heading)?;
    }
    table.push_str(" |\n| --- |");
    table.push_str(&" ---: |".repeat(columns.len()));
    table.push_str(" --- |\n");
    for (server, figures) in found {
        write!(table, "| {server} |")?;
        for column in columns {
            let floor = found
                .get(&Server::Floor)
                .filter(|_| *server != Server::Floor);
            write!(table, " {} |", cell(*column, figures, floor))?;
        }
        writeln!(table, " {} |", what_limits(figures))?;
    }
    Ok(table)
}

/// A figure, with its ratio to the floor's.
fn cell(column: Column, figures: &Figures, floor: Option<&Figures>) -> String {
    let Some(figure) = figures.get(column.figure) else {
        return String::new();
    };
    let ratio = floor
        .filter(|_| column.has_ratio)
        .and_then(|floor| floor.get(column.figure))
        .filter(|floor| *floor > 0.0)
        .map(|floor| format!(" ({} ×)", rounded(figure / floor)));
    rounded(figure) + &ratio.unwrap_or_default()
}

/// Three digits, or all before the point.
pub(crate) fn rounded(figure: f64) -> String {
    let digits = match figure.abs() {
        0.0 => 0,
        small if small < 1.0 => 3,
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    format!("{figure:.digits$}")
}

/// Who else than the server may have been the reason that it was not more.
fn what_limits(figures: &Figures) -> &'static str {
    let is_busy = |name| figures.get(name).is_some_and(|it| it > BUSY);
    match (is_busy("load_busy"), is_busy("upstream_busy")) {
        (true, _) => "the generator limits",
        (false, true) => "the provider limits",
        (false, false) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_tells_ratios_to_the_floor_and_what_limits() {
        let figures = |tokens: f64, load_busy: f64| {
            let mut figures = Figures::default();
            figures.set("tokens_per_s", tokens);
            figures.set("load_busy", load_busy);
            figures
        };
        let found = Found::from([
            (Server::Floor, figures(1_000.0, 0.95)),
            (Server::Patter, figures(500.0, 0.5)),
        ]);
        let table = table(Scenario::Blast, &found).unwrap();
        assert!(
            table.contains("| floor | 1000 |  |  |  |  |  | the generator limits |"),
            "{table}"
        );
        assert!(table.contains("| patter | 500 (0.500 ×) |"), "{table}");
    }

    #[test]
    fn figures_are_rounded_to_three_digits() {
        let shown = [0.0, 0.12345, 1.2345, 12.345, 123.45, 1_234.5].map(rounded);
        assert_eq!(shown, ["0", "0.123", "1.23", "12.3", "123", "1234"]);
    }
}
