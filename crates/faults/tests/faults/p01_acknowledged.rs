//! P1: an acknowledged message survives `kill -9` of the server, of `PostgreSQL`, and of both.
//!
//! The limit of the promise: one primary with `fsync` on. A failover to an asynchronous replica may
//! lose the last commits.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use patter_faults::client::Client;
use patter_faults::cluster::Cluster;
use patter_faults::figures::Figures;
use patter_faults::script::Script;
use tokio::time::{Instant, interval, sleep};

use crate::runner::{Outcome, World};
use crate::scene::{Scene, Stage, Store};

/// What is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    Server,
    Postgres,
    Both,
}

const CLIENTS: usize = 50;
/// Messages of a client in a second.
const RATE: u64 = 20;

pub(crate) async fn server(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let stage = Stage::new(&world, store).short_lease();
    rounds(&world, stage, None, Victim::Server, world.loops(5, 500)).await
}

pub(crate) async fn embedded(world: Arc<World>) -> Outcome {
    let stage = Stage::new(&world, Store::Embedded);
    rounds(&world, stage, None, Victim::Server, world.loops(5, 500)).await
}

pub(crate) async fn postgres(world: Arc<World>) -> Outcome {
    let cluster = Cluster::start().await?;
    let stage = Stage::new(&world, Store::on(&cluster).await?).short_lease();
    let rounds_wanted = world.loops(3, 200);
    rounds(
        &world,
        stage,
        Some(cluster),
        Victim::Postgres,
        rounds_wanted,
    )
    .await
}

pub(crate) async fn both(world: Arc<World>) -> Outcome {
    let cluster = Cluster::start().await?;
    let stage = Stage::new(&world, Store::on(&cluster).await?).short_lease();
    let rounds_wanted = world.loops(2, 100);
    rounds(&world, stage, Some(cluster), Victim::Both, rounds_wanted).await
}

async fn rounds(
    world: &World,
    stage: Stage,
    mut cluster: Option<Cluster>,
    victim: Victim,
    rounds: usize,
) -> Outcome {
    let mut scene = stage.start(1).await?;
    let mut figures = Figures::default();
    for round in 0..rounds {
        play(world, &mut scene, cluster.as_mut(), victim, round).await?;
        figures.add("rounds", 1);
    }
    scene.finalized(Duration::from_secs(40)).await?;
    figures.merge(&scene.verdict(true).await?);
    Ok(figures)
}

/// Fifty clients talk, and something dies at a random time.
async fn play(
    world: &World,
    scene: &mut Scene,
    cluster: Option<&mut Cluster>,
    victim: Victim,
    round: usize,
) -> anyhow::Result<()> {
    let mut random = world.random(round as u64);
    let fault_at = Duration::from_secs_f64(random.f64() * if world.soak { 5.0 } else { 1.5 });
    let clients: Vec<Client> = (0..CLIENTS)
        .map(|number| scene.client(&format!("p01-{round}-{number}"), random.u64(..)))
        .collect();
    // They go on for a while after the fault, so that it hits messages at every stage.
    let talk = talk(&clients, round, fault_at + Duration::from_millis(300));
    let fault = async {
        sleep(fault_at).await;
        if victim != Victim::Postgres {
            scene.kill(0).await?;
        }
        if let Some(cluster) = cluster {
            cluster.kill().await?;
            scene.disturb();
            scene.figures.add("database kills", 1);
            cluster.start_server().await?;
        }
        if victim != Victim::Postgres {
            scene.nodes[0].start_again().await?;
        }
        anyhow::Ok(())
    };
    let (_, fault) = tokio::join!(talk, fault);
    fault?;
    let patience = Duration::from_secs(40);
    try_join_all(clients.iter().map(|client| client.until_answered(patience))).await?;
    scene.leave(clients).await;
    Ok(())
}

async fn talk(clients: &[Client], round: usize, how_long: Duration) {
    let end = Instant::now() + how_long;
    let talking = clients
        .iter()
        .enumerate()
        .map(|(number, client)| async move {
            let mut clock = interval(Duration::from_millis(1_000 / RATE));
            let mut message = 0;
            while Instant::now() < end {
                clock.tick().await;
                let id = format!("p01-{round}-{number}-{message}");
                client.say(&Script::new(id).tokens(2, 10_000)).await;
                message += 1;
            }
        });
    join_all(talking).await;
}
