//! What it costs that somebody is there: connections that say nothing, conversations that rest, and one
//! who reads a long one.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use memchr::memmem;
use tokio::time::{Instant, sleep};

use super::{Client, Door, Load, Play, Tally, Users};
use crate::figures::Figures;
use crate::upstream::Ask;

/// So many come at the same time.
const DOORS: u32 = 32;
/// So many come and go first: what a server makes once is no cost of a connection.
const WARM_UP: u32 = 32;
/// So long is waited for memory to be given back.
const REST: Duration = Duration::from_secs(1);
/// A server that uses less than so much of a processor meanwhile has come to rest.
const RESTING_US: f64 = 50_000.0;
/// It is looked at so often at the most.
const LOOKS: u32 = 20;
/// Turns of a conversation.
const TURNS: u32 = 20;
/// Times that the session is read.
const READINGS: u32 = 5;

/// Plays `idle` or `turns`.
pub(super) async fn play(load: &Load) -> anyhow::Result<Figures> {
    let door = Door::new(load.server);
    drop(come(load, &door, WARM_UP).await?);
    come_to_rest(load).await?;
    let before = load.watched.usage()?;
    let began = Instant::now();
    let here = come(load, &door, load.users).await?;
    let took = began.elapsed();
    come_to_rest(load).await?;
    let used = load.watched.usage()?.since(&before);
    let mut figures = Figures::default();
    figures.set("users", here.len() as f64);
    figures.set("came_per_s", here.len() as f64 / took.as_secs_f64());
    used.tell_memory_for_each(load.users, &mut figures);
    Ok(figures)
}

/// Waits until the server has done what is left to do, or for a while, where it never rests: what it makes once,
/// when the first long conversation makes it necessary, is no cost of a conversation either.
async fn come_to_rest(load: &Load) -> anyhow::Result<()> {
    for _ in 0..LOOKS {
        let before = load.watched.usage()?;
        sleep(REST).await;
        if load.watched.usage()?.since(&before).server_us() < RESTING_US {
            break;
        }
    }
    Ok(())
}

/// So many come, and say what they have to say. They are here until they are dropped.
async fn come(load: &Load, door: &Rc<Door>, number: u32) -> anyhow::Result<Vec<Client>> {
    let turns = if load.play == Play::Turns { TURNS } else { 0 };
    let ask = Ask {
        tokens: load.tokens,
        rate: load.rate,
    };
    let here = Rc::new(std::cell::RefCell::new(Vec::new()));
    let mut users = Users::new();
    for first in 0..DOORS {
        let (door, here) = (Rc::clone(door), Rc::clone(&here));
        users.spawn_local(async move {
            let tally = Tally::new()?;
            for _ in (first..number).step_by(DOORS as usize) {
                let mut client = door.enter().await?;
                for _ in 0..turns {
                    client.ask(ask).await?;
                    client.answer(ask, &tally).await?;
                }
                here.borrow_mut().push(client);
            }
            Ok(())
        });
    }
    while let Some(ended) = users.join_next().await {
        ended??;
    }
    Ok(here.take())
}

/// Attaches to a session, and reads all there is.
pub(super) async fn replay(load: &Load) -> anyhow::Result<Figures> {
    let session = load.session.as_deref().context("which session?")?;
    let (mut first_ms, mut all_ms) = (Vec::new(), Vec::new());
    for _ in 0..READINGS {
        let began = Instant::now();
        let address = Ipv4Addr::LOCALHOST;
        let mut client = Client::connect(load.server, address, session, "?after=0").await?;
        let mut events = 0;
        while events < load.tokens {
            let frame = client.frame().await?;
            if memmem::find(frame.as_bytes(), br#""seq":"#).is_some() {
                if events == 0 {
                    first_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
                }
                events += 1;
            }
        }
        all_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
        client.leave().await?;
    }
    let mut figures = Figures::default();
    figures.set("events", f64::from(load.tokens));
    figures.set("first_event_ms", crate::figures::median(&mut first_ms));
    figures.set("all_events_ms", crate::figures::median(&mut all_ms));
    Ok(figures)
}
