//! P3: a client that comes back with its last `seq` sees every later event exactly once, in
//! mid-answer too, and on another process too. Its connections are reset after every k-th byte: inside
//! frames, inside the replay, inside the handshake.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::proxy::Plan;
use patter_faults::script::Script;
use tokio::time::{Instant, sleep};

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Stage, Store};

pub(crate) async fn three_nodes(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let stage = Stage::new(&world, store).short_lease();
    cuts(&world, stage, 3).await
}

pub(crate) async fn one_node(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    cuts(&world, Stage::new(&world, store), 1).await
}

pub(crate) async fn embedded(world: Arc<World>) -> Outcome {
    cuts(&world, Stage::new(&world, Store::Embedded), 1).await
}

async fn cuts(world: &World, stage: Stage, nodes: usize) -> Outcome {
    let sessions = world.loops(60, 200);
    let wanted = world.loops(900, 10_000);
    let mut scene = stage.with_proxies().start(nodes).await?;
    let cut = Arc::new(AtomicUsize::new(0));
    for (number, proxy) in scene.proxies.iter().enumerate() {
        let seed = world.random(300 + number as u64).u64(..);
        let cut = cut.clone();
        proxy.plan(move |connection| {
            let mut random = fastrand::Rng::with_seed(seed.wrapping_add(connection));
            let is_cut = cut.fetch_add(1, Ordering::Relaxed) < wanted;
            Plan {
                reset_after: is_cut.then(|| random.u64(1..4_096)),
                ..Plan::default()
            }
        });
    }
    let mut random = world.random(330);
    let clients: Vec<Client> = (0..sessions)
        .map(|number| scene.client(&format!("p03-{number}"), random.u64(..)))
        .collect();
    // They talk until all cuts have been made.
    let end = Instant::now() + Duration::from_secs(world.loops(20, 1_200) as u64);
    let mut part = 0;
    while cut.load(Ordering::Relaxed) < wanted && Instant::now() < end {
        for (number, client) in clients.iter().enumerate() {
            let is_idle = client.look(|view| view.is_answered());
            if is_idle {
                let script = Script::new(format!("p03-{number}-{part}"));
                client.say(&script.tokens(25, 50).tools(number % 2)).await;
            }
        }
        part += 1;
        sleep(Duration::from_millis(100)).await;
    }
    let answered = clients.iter().map(|client| client.until_answered(2 * SOON));
    try_join_all(answered).await?;
    let cuts = scene.proxies.iter().map(|proxy| proxy.cuts()).sum();
    scene.figures.add("cuts", cuts);
    scene.leave(clients).await;
    scene.finalized(Duration::from_secs(40)).await?;
    scene.verdict(true).await
}
