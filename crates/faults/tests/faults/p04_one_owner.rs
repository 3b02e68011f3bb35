//! P4: one process at the most acts for a session, and one that was paused in the middle of an answer
//! for longer than its lease, or cut off from the database, does no harm: its clients are told (4409)
//! within a second, and it starts nothing that the new owner starts too.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::try_join_all;
use patter_faults::client::{Client, Habits};
use patter_faults::figures::Figures;
use patter_faults::history::End;
use patter_faults::proxy::{Mode, Proxy};
use patter_faults::script::Script;
use tokio::time::sleep;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Scene, Stage, Store};

/// Sessions that are paused together.
const SESSIONS: usize = 15;

pub(crate) async fn paused_owner(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).short_lease().start(2).await?;
    for round in 0..world.loops(2, 20) {
        play(&world, &mut scene, round).await?;
        scene.figures.add("paused owners", SESSIONS);
    }
    scene.finalized(Duration::from_secs(40)).await?;
    let figures: Figures = scene.verdict(true).await?;
    Ok(figures)
}

/// One process is paused, the other takes over, the first one wakes.
pub(crate) async fn play(world: &World, scene: &mut Scene, round: usize) -> anyhow::Result<()> {
    let mut random = world.random(400 + round as u64);
    let paused = round % 2;
    let addresses = scene.addresses();
    let at = |node: usize, session: &str, seed: u64| {
        let mut habits = Habits::quick(vec![addresses[node]], seed);
        // So that what it does next does not matter here.
        habits.first_pause = Duration::from_secs(2);
        Client::start(session, habits)
    };
    let sessions: Vec<String> = (0..SESSIONS)
        .map(|it| format!("p04-{round}-{it}"))
        .collect();
    let before: Vec<Client> = sessions
        .iter()
        .map(|session| at(paused, session, random.u64(..)))
        .collect();
    for (client, session) in before.iter().zip(&sessions) {
        // Longer than the pause, and over soon after it: a woken owner that nothing stops tells its end.
        let script = Script::new(format!("{session}-long")).tokens(600, 50);
        client.say(&script).await;
    }
    // An owner that is paused before the others can know of the message has nobody to contradict.
    let streaming = before.iter().map(|client| {
        client.until("a token of an answer to what is stored", SOON, |view| {
            view.tokens > 3 && view.unacknowledged.is_empty()
        })
    });
    try_join_all(streaming).await?;
    let at_pause = scene.nodes[paused].pause();
    scene.disturbances.push(at_pause);

    let after: Vec<Client> = sessions
        .iter()
        .map(|session| at(1 - paused, session, random.u64(..)))
        .collect();
    for (client, session) in after.iter().zip(&sessions) {
        client.say(&Script::new(format!("{session}-next"))).await;
    }
    try_join_all(after.iter().map(|client| client.until_answered(SOON))).await?;
    scene.disturb();
    // It wakes with all it was about to do.
    sleep(Duration::from_millis(random.u64(..500))).await;
    let woken = scene.nodes[paused].resume();
    let told = before.iter().map(|client| {
        client.until("the close of a lost session", SOON, |view| {
            view.log.connections[0].end.is_some()
        })
    });
    try_join_all(told).await?;
    for client in &before {
        let (at, end) = client.look(|view| view.log.connections[0].end).unwrap();
        ensure!(
            end == End::Closed(4409),
            "a lost session was closed by {end:?}"
        );
        let late = at.since(woken);
        ensure!(
            late < Duration::from_secs(1),
            "the close of a lost session came after {late:?}"
        );
    }
    scene.leave(before).await;
    scene.leave(after).await;
    Ok(())
}

pub(crate) async fn cut_off_owner(world: Arc<World>) -> Outcome {
    let database = world.shared_cluster().await?;
    let proxy = Proxy::start(([127, 0, 0, 1], database.port()).into()).await?;
    let stage = Stage::new(&world, Store::on(database).await?)
        .short_lease()
        .first_by_way_of(proxy.address().port());
    let mut scene = stage.start(2).await?;
    for round in 0..world.loops(1, 20) {
        cut_off(&world, &mut scene, &proxy, round).await?;
        scene.figures.add("owners cut off", SESSIONS);
    }
    scene.finalized(Duration::from_secs(40)).await?;
    scene.verdict(true).await
}

/// The first process loses the database, the second one takes over, and both are told the same thing.
pub(crate) async fn cut_off(
    world: &World,
    scene: &mut Scene,
    proxy: &Proxy,
    round: usize,
) -> anyhow::Result<()> {
    let mut random = world.random(450 + round as u64);
    let addresses = scene.addresses();
    let mut at = |node: usize, session: &str| {
        let habits = Habits::quick(vec![addresses[node]], random.u64(..));
        Client::start(session, habits)
    };
    let sessions: Vec<String> = (0..SESSIONS)
        .map(|it| format!("p04-cut-{round}-{it}"))
        .collect();
    let before: Vec<Client> = sessions.iter().map(|session| at(0, session)).collect();
    for (client, session) in before.iter().zip(&sessions) {
        client.say(&Script::new(format!("{session}-first"))).await;
    }
    try_join_all(before.iter().map(|client| client.until_answered(SOON))).await?;
    proxy.set(Mode::Stall);
    scene.disturb();
    let after: Vec<Client> = sessions.iter().map(|session| at(1, session)).collect();
    let taken_over = after
        .iter()
        .map(|client| client.until("the new owner", SOON, |view| view.is_ready));
    try_join_all(taken_over).await?;
    scene.disturb();
    // One client has both, or believes the first one lost it: both get the same message.
    for ((one, other), session) in before.iter().zip(&after).zip(&sessions) {
        let script = Script::new(format!("{session}-both")).tokens(20, 50);
        one.say(&script).await;
        other.say(&script).await;
    }
    try_join_all(after.iter().map(|client| client.until_answered(SOON))).await?;
    // Longer than it takes the first one to find out what it lost.
    sleep(Duration::from_secs(1)).await;
    proxy.reset_all();
    proxy.set(Mode::Pass);
    scene.disturb();
    let told = before.iter().map(|client| {
        client.until("the close of a lost session", SOON, |view| {
            view.log.connections[0].end.is_some()
        })
    });
    try_join_all(told).await?;
    scene.leave(before).await;
    scene.leave(after).await;
    Ok(())
}
