//! What patter is meant to reach, and whether it does.

use std::fmt::Write as _;

use super::rounded;
use crate::run::Results;
use crate::scenario::Scenario;
use crate::server::Server::{self, Floor, Patter, PatterSqlite};

/// A figure that is to be reached.
struct Target {
    what: &'static str,
    scenario: Scenario,
    server: Server,
    figure: &'static str,
    goal: Goal,
}

/// How far it must go.
#[derive(Clone, Copy)]
enum Goal {
    Most(f64),
    Least(f64),
    /// Times the floor's.
    MostOfFloor(f64),
    LeastOfFloor(f64),
}

const fn target(
    what: &'static str,
    scenario: Scenario,
    server: Server,
    figure: &'static str,
    goal: Goal,
) -> Target {
    Target {
        what,
        scenario,
        server,
        figure,
        goal,
    }
}

const TARGETS: [Target; 15] = [
    target(
        "CPU of a token, steady, × floor",
        Scenario::Steady,
        Patter,
        "server_us",
        Goal::MostOfFloor(1.4),
    ),
    target(
        "added latency p50, steady, × floor",
        Scenario::Steady,
        Patter,
        "latency_p50_us",
        Goal::MostOfFloor(1.2),
    ),
    target(
        "added latency p99, steady, × floor",
        Scenario::Steady,
        Patter,
        "latency_p99_us",
        Goal::MostOfFloor(2.0),
    ),
    target(
        "sessions of ramp, × floor",
        Scenario::Ramp,
        Patter,
        "sessions",
        Goal::LeastOfFloor(0.8),
    ),
    // The floor passes on what comes at once as one frame, and so is no measure here.
    target(
        "tokens/s of blast: three times a plain Rust server's",
        Scenario::Blast,
        Patter,
        "tokens_per_s",
        Goal::Least(540_000.0),
    ),
    target(
        "an idle connection, kB",
        Scenario::Idle,
        Patter,
        "kb_per_user",
        Goal::Most(16.0),
    ),
    target(
        "first token, p50 µs",
        Scenario::First,
        Patter,
        "latency_p50_us",
        Goal::Most(1_300.0),
    ),
    target(
        "a session with 20 turns, kB",
        Scenario::Turns,
        Patter,
        "kb_per_user",
        Goal::Most(50.0),
    ),
    target(
        "sessions opened a second",
        Scenario::Connect,
        Patter,
        "visits_per_s",
        Goal::Least(2_000.0),
    ),
    target(
        "durable events/s, PostgreSQL",
        Scenario::Store,
        Patter,
        "events_per_s",
        Goal::Least(10_000.0),
    ),
    target(
        "durable events/s, embedded store",
        Scenario::Store,
        PatterSqlite,
        "events_per_s",
        Goal::Least(20_000.0),
    ),
    target(
        "attach to 10 000 events, first, ms",
        Scenario::Replay,
        Patter,
        "first_event_ms",
        Goal::Most(20.0),
    ),
    target(
        "attach to 10 000 events, all, ms",
        Scenario::Replay,
        Patter,
        "all_events_ms",
        Goal::Most(150.0),
    ),
    target(
        "start to listening, embedded store, ms",
        Scenario::Start,
        PatterSqlite,
        "listens_after_ms",
        Goal::Most(50.0),
    ),
    target(
        "binary, MB",
        Scenario::Start,
        Patter,
        "binary_mb",
        Goal::Most(30.0),
    ),
];

/// The table of targets, as far as their figures were found.
pub(super) fn table(results: &Results) -> String {
    let mut table = "| | goal | found | |\n| --- | ---: | ---: | --- |\n".to_owned();
    for target in &TARGETS {
        let Some(found) = target.found(results) else {
            continue;
        };
        let (word, goal, is_met) = match target.goal {
            Goal::Most(goal) | Goal::MostOfFloor(goal) => ("≤", goal, found <= goal),
            Goal::Least(goal) | Goal::LeastOfFloor(goal) => ("≥", goal, found >= goal),
        };
        let met = if is_met { "met" } else { "**missed**" };
        // To a string nothing fails to be written.
        let _always_written = writeln!(
            table,
            "| {} | {word} {goal} | {} | {met} |",
            target.what,
            rounded(found)
        );
    }
    table
}

impl Target {
    fn found(&self, results: &Results) -> Option<f64> {
        let found = results.scenarios.get(&self.scenario)?;
        let figure = found.get(&self.server)?.get(self.figure)?;
        match self.goal {
            Goal::Most(_) | Goal::Least(_) => Some(figure),
            Goal::MostOfFloor(_) | Goal::LeastOfFloor(_) => {
                let floor = found.get(&Floor)?.get(self.figure)?;
                (floor > 0.0).then_some(figure / floor)
            }
        }
    }
}
