//! The most sessions that a server carries: doubled until it fails, then halved in between. Each try is
//! `steady` with a fresh server, so that none suffers from the one before.

use crate::figures::Figures;
use crate::ground::Ground;
use crate::scenario::Scenario;
use crate::server::Server;

const FIRST: u32 = 50;
const MOST: u32 = 12_800;
/// Between the last that was carried and the first that was not: the result is good to 6 %.
const HALVINGS: u32 = 4;
/// As long as an answer: in less, fewer may begin and end than are due.
const SECONDS: f64 = 4.0;
const LONGEST_P99_US: f64 = 50_000.0;
/// A server that keeps tokens back is late, whatever it says of those that came.
const LEAST_SHARE: f64 = 0.97;

/// The figures of the most sessions that were carried.
pub(super) async fn run(ground: &Ground<'_>, server: Server) -> anyhow::Result<Figures> {
    let mut carried = (0, Figures::default());
    let mut failed = None;
    let mut next = FIRST;
    let mut halvings = 0;
    while halvings < HALVINGS && next <= MOST {
        match attempt(ground, server, next).await? {
            Some(figures) => carried = (next, figures),
            None => failed = Some(next),
        }
        next = match failed {
            Some(failed) => {
                halvings += 1;
                u32::midpoint(carried.0, failed)
            }
            None => next * 2,
        };
    }
    let (sessions, mut figures) = carried;
    figures.set("sessions", f64::from(sessions));
    Ok(figures)
}

/// Figures if so many are carried.
async fn attempt(
    ground: &Ground<'_>,
    server: Server,
    users: u32,
) -> anyhow::Result<Option<Figures>> {
    let standing = ground.start(server, &[]).await?;
    // One who is overloaded may break off connections, or let nobody in: that is its answer.
    let figures = standing.load(Scenario::Ramp, users, SECONDS, None).await;
    standing.stop().await?;
    let due = f64::from(users * Scenario::Ramp.rate());
    Ok(figures.ok().filter(|figures| {
        let is_in_time = figures
            .get("latency_p99_us")
            .is_some_and(|it| it < LONGEST_P99_US);
        let is_whole = figures
            .get("tokens_per_s")
            .is_some_and(|it| it > due * LEAST_SHARE);
        is_in_time && is_whole
    }))
}
