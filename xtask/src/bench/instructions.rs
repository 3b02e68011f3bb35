//! Instructions of the path of a token, by callgrind. Times differ from machine to machine and from run to
//! run; instructions hardly do. An answer is relayed twice, short and long: what is more in the long one is
//! the tokens', and what is done once falls out.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use anyhow::{Context, ensure};

use crate::process;

const BASELINE: &str = "crates/bench/instructions.json";
const PROVIDERS: [&str; 2] = ["openai", "gemini"];
const SHORT: u32 = 2_000;
const LONG: u32 = 12_000;
/// More than so much above the baseline fails.
const TOLERANCE: f64 = 1.05;

/// Instructions of a token, by provider.
type Counts = BTreeMap<String, f64>;

/// Counts with this program, and compares. As with all that is generated, the baseline is written where
/// `UPDATE_GENERATED` is `1`.
///
/// # Errors
///
/// When a token takes more than 5 % more than the baseline has, or callgrind fails.
pub(super) fn check(program: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let mut counts = Counts::new();
    for provider in PROVIDERS {
        let [short, long] = [SHORT, LONG].map(|tokens| count(program, folder, provider, tokens));
        let each = (long? - short?) / f64::from(LONG - SHORT);
        counts.insert(provider.to_owned(), each.round());
    }
    if std::env::var_os("UPDATE_GENERATED").is_some_and(|it| it == "1") {
        fs::write(BASELINE, serde_json::to_string_pretty(&counts)? + "\n")?;
    }
    let text = fs::read_to_string(BASELINE).with_context(|| {
        format!("no `{BASELINE}`: `UPDATE_GENERATED=1 cargo xtask bench --check` writes it")
    })?;
    let faults = faults(&counts, &serde_json::from_str(&text)?);
    ensure!(
        faults.is_empty(),
        "the path of a token has become longer; where, `callgrind_annotate {}/callgrind.*` tells:\n{}",
        folder.display(),
        faults.join("\n")
    );
    Ok(())
}

/// What has become too long.
fn faults(counts: &Counts, baseline: &Counts) -> Vec<String> {
    let mut faults = Vec::new();
    for (provider, count) in counts {
        let usual = baseline.get(provider).copied().unwrap_or_default();
        let line = format!("{provider}: {count} instructions for a token, in the baseline {usual}");
        println!("{line}");
        if *count > usual * TOLERANCE {
            faults.push(line);
        }
    }
    faults
}

fn count(program: &Path, folder: &Path, provider: &str, tokens: u32) -> anyhow::Result<f64> {
    let profile = folder.join(format!("callgrind.{provider}.{tokens}"));
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .args([provider, &tokens.to_string()]);
    process::output_of(&mut command)?;
    let text = fs::read_to_string(&profile)?;
    let total = text
        .lines()
        .find_map(|line| {
            line.strip_prefix("totals: ")
                .or_else(|| line.strip_prefix("summary: "))
        })
        .context("callgrind tells no total")?;
    Ok(total.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twentieth_more_is_let_pass_and_what_is_more_is_not() {
        let counts = |openai: f64, gemini: f64| {
            Counts::from([("openai".to_owned(), openai), ("gemini".to_owned(), gemini)])
        };
        let baseline = counts(1_000.0, 2_000.0);
        assert!(faults(&counts(1_050.0, 1_000.0), &baseline).is_empty());
        let faults = faults(&counts(1_051.0, 2_000.0), &baseline);
        assert_eq!(
            faults,
            ["openai: 1051 instructions for a token, in the baseline 1000"]
        );
    }
}
