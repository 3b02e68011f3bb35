//! The table, and what is promised of it.

use std::time::Duration;

use patter_faults::figures::percentile;

use crate::Part;

/// A refusal is there within this.
const REFUSED_WITHIN: Duration = Duration::from_millis(100);
/// The most memory, whatever comes.
const MOST_MIB: u64 = 200;
/// A first token may be later by a tenth and this: the flood is made on the machine that serves it, and
/// takes turns with it on its cores.
const SCHEDULING: Duration = Duration::from_millis(50);

/// Prints everything; whether all that is promised holds.
pub(crate) fn tell(parts: &[Part], unharmed: bool) -> bool {
    println!(
        "\n| beside the conversations | turns | first token, p50 | p99 | whole turn, p50 | p99 | files | memory |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for part in parts {
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} MiB |",
            part.name,
            part.turns.len(),
            ms(part.first_token(50)),
            ms(part.first_token(99)),
            ms(part.whole(50)),
            ms(part.whole(99)),
            part.most.files,
            part.most.resident_kib / 1024,
        );
    }
    println!();
    for part in parts {
        if let Some(refusals) = &part.refusals {
            println!("{}: {refusals}", part.name);
        }
    }
    let mut broken = Vec::new();
    if !unharmed {
        broken.push("a conversation has lost its connection".to_owned());
    }
    for part in &parts[1..] {
        broken.extend(part.broken(&parts[0]));
    }
    for promise in &broken {
        println!("BROKEN: {promise}");
    }
    if broken.is_empty() {
        println!("every promise holds");
    }
    broken.is_empty()
}

impl Part {
    fn first_token(&self, percent: usize) -> Duration {
        let times: Vec<Duration> = self.turns.iter().map(|turn| turn.first_token).collect();
        percentile(&times, percent)
    }

    fn whole(&self, percent: usize) -> Duration {
        let times: Vec<Duration> = self.turns.iter().map(|turn| turn.whole).collect();
        percentile(&times, percent)
    }

    /// What does not hold of it, compared with the part in which nothing else happened.
    fn broken(&self, quiet: &Self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut check = |holds: bool, what: &str| {
            if !holds {
                broken.push(format!("{}: {what}", self.name));
            }
        };
        check(
            self.whole(99) <= quiet.whole(99).mul_f64(1.1),
            "a whole turn takes more than a tenth longer (p99)",
        );
        check(
            self.first_token(99) <= quiet.first_token(99).mul_f64(1.1) + SCHEDULING,
            "a first token is later by more than a tenth and 50 ms (p99)",
        );
        check(
            self.most.resident_kib <= MOST_MIB * 1024,
            "the server takes more than 200 MiB",
        );
        if let Some(refusals) = &self.refusals {
            check(
                percentile(&refusals.told, 100) < REFUSED_WITHIN,
                "a refusal takes more than 100 ms",
            );
        }
        broken
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
