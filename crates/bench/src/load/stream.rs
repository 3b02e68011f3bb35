//! Users who listen to answers: at the speed of reading, as fast as they come, or for the first token.

use std::rc::Rc;
use std::time::Duration;

use anyhow::ensure;
use tokio::time::{Instant, sleep};

use super::{Door, Load, Play, Tally, Users, watch};
use crate::figures::Figures;
use crate::upstream::Ask;

/// Of answers without a rate: all users have come after so long, one after the other.
const ARRIVAL: Duration = Duration::from_secs(1);
/// Before anything is measured, it goes on for so long after that.
const WARM_UP: Duration = Duration::from_secs(1);
/// Of those who wait for the first token, each asks so often.
const PAUSE: Duration = Duration::from_millis(200);

/// Plays `stream`, `blast` or `first`.
pub(super) async fn play(load: &Load) -> anyhow::Result<Figures> {
    let arrival = arrival(load);
    let tally = Tally::new()?;
    let door = Door::new(load.server);
    let mut users = Users::new();
    for number in 0..load.users {
        let user = User {
            play: load.play,
            ask: Ask {
                tokens: load.tokens,
                rate: load.rate,
            },
            door: Rc::clone(&door),
            tally: Rc::clone(&tally),
            comes_after: arrival * number / load.users,
        };
        users.spawn_local(user.talk());
    }
    watch(&mut users, arrival + WARM_UP).await?;
    ensure!(
        door.opened.get() >= load.users,
        "not all have come in {:?}",
        arrival + WARM_UP
    );
    let before = load.watched.usage()?;
    tally.measure(true);
    let began = Instant::now();
    watch(&mut users, load.measured()).await?;
    tally.measure(false);
    let took = began.elapsed();
    let used = load.watched.usage()?.since(&before);
    users.shutdown().await;

    let mut figures = Figures::default();
    figures.set("tokens_per_s", tally.tokens() as f64 / took.as_secs_f64());
    figures.set("answers_per_s", tally.answers() as f64 / took.as_secs_f64());
    tally.tell_latencies(&mut figures);
    used.tell_for_each(tally.tokens(), took, &mut figures);
    Ok(figures)
}

/// Over the time of one answer, so that at every moment some begin and some end, and of one token more, or users who
/// come a token's time after each other would have all their tokens at the same moments.
fn arrival(load: &Load) -> Duration {
    match load.rate {
        0 => ARRIVAL,
        rate => Duration::from_secs(u64::from(load.tokens) + 1) / rate,
    }
}

struct User {
    play: Play,
    ask: Ask,
    door: Rc<Door>,
    tally: Rc<Tally>,
    comes_after: Duration,
}

impl User {
    async fn talk(self) -> anyhow::Result<()> {
        sleep(self.comes_after).await;
        let mut client = self.door.enter().await?;
        // Of the first token everything before it counts, and of the others nothing.
        let aside = Tally::new()?;
        loop {
            let asked_ns = client.ask(self.ask).await?;
            match self.play {
                Play::First => {
                    let first_ns = client.answer(self.ask, &aside).await?;
                    self.tally.waited(first_ns.saturating_sub(asked_ns));
                    sleep(PAUSE).await;
                }
                Play::Blast => {
                    client.answer(self.ask, &self.tally).await?;
                    client = self.door.enter().await?;
                }
                _ => {
                    client.answer(self.ask, &self.tally).await?;
                }
            }
        }
    }
}
