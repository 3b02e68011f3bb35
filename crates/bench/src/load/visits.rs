//! Users who come and go: how many of them a second, and what one costs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Door, Load, Play, Tally, Users, watch};
use crate::clock;
use crate::figures::Figures;
use crate::upstream::Ask;

const WARM_UP: Duration = Duration::from_millis(500);

/// Plays `connect` or `churn`.
pub(super) async fn play(load: &Load) -> anyhow::Result<Figures> {
    let tally = Tally::new()?;
    let door = Door::new(load.server);
    let visits = Rc::new(Cell::new(0_u64));
    let ask = Ask {
        tokens: load.tokens,
        rate: load.rate,
    };
    let mut users = Users::new();
    for _ in 0..load.users {
        let (door, tally, visits) = (Rc::clone(&door), Rc::clone(&tally), Rc::clone(&visits));
        let talks = load.play == Play::Churn;
        users.spawn_local(async move {
            loop {
                let began_ns = clock::now_ns();
                let mut client = door.enter().await?;
                if talks {
                    client.ask(ask).await?;
                    client.answer(ask, &tally).await?;
                    client.leave().await?;
                } else {
                    drop(client);
                }
                tally.waited(clock::now_ns() - began_ns);
                visits.set(visits.get() + 1);
            }
        });
    }
    watch(&mut users, WARM_UP).await?;
    let before = load.watched.usage()?;
    let visits_before = visits.get();
    tally.measure(true);
    let began = Instant::now();
    watch(&mut users, load.measured()).await?;
    tally.measure(false);
    let took = began.elapsed();
    let used = load.watched.usage()?.since(&before);
    let visits = visits.get() - visits_before;
    users.shutdown().await;

    let mut figures = Figures::default();
    figures.set("visits_per_s", visits as f64 / took.as_secs_f64());
    tally.tell_latencies(&mut figures);
    used.tell_for_each(visits, took, &mut figures);
    Ok(figures)
}
