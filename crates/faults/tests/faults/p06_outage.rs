//! P6: while the database is away answers keep streaming, no event is lost, and their order is kept;
//! also where the server is killed in the middle of the outage.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::cluster::Cluster;
use patter_faults::moment::Moment;
use patter_faults::proxy::{Mode, Proxy};
use patter_faults::script::Script;
use tokio::time::sleep;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Scene, Stage, Store};

/// How the database goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outage {
    /// What is sent to it gets nowhere, and nobody is told.
    Silence,
    /// It is killed.
    Killed,
    /// It is stopped where it stands: it accepts, and never answers.
    Paused,
}

/// Pieces of an answer in a second.
const RATE: u32 = 20;
const SESSIONS: usize = 40;

pub(crate) async fn silence(world: Arc<World>) -> Outcome {
    outages(&world, Outage::Silence, false).await
}

pub(crate) async fn killed(world: Arc<World>) -> Outcome {
    outages(&world, Outage::Killed, false).await
}

pub(crate) async fn paused(world: Arc<World>) -> Outcome {
    outages(&world, Outage::Paused, false).await
}

pub(crate) async fn with_a_killed_server(world: Arc<World>) -> Outcome {
    outages(&world, Outage::Silence, true).await
}

/// A cluster of its own, the proxy in front of it, and one process.
async fn set_up(world: &World) -> anyhow::Result<(Cluster, Proxy, Scene)> {
    let cluster = Cluster::start().await?;
    let proxy = Proxy::start(([127, 0, 0, 1], cluster.port()).into()).await?;
    let store = Store::on(&cluster).await?;
    let store = store.by_way_of(proxy.address().port(), "");
    let scene = Stage::new(world, store).start(1).await?;
    Ok((cluster, proxy, scene))
}

async fn outages(world: &World, outage: Outage, kills_server: bool) -> Outcome {
    let (mut cluster, proxy, mut scene) = set_up(world).await?;
    for round in 0..world.loops(1, 20) {
        let mut random = world.random(600 + round as u64);
        let clients: Vec<Client> = (0..SESSIONS)
            .map(|number| scene.client(&format!("p06-{round}-{number}"), random.u64(..)))
            .collect();
        let seconds = world.loops(7, 60);
        for client in &clients {
            let id = format!("{}-a", client.session_id());
            // It streams from well before the outage until well into it.
            let tokens = (3 + seconds) * RATE as usize;
            client.say(&Script::new(id).tokens(tokens, RATE)).await;
        }
        let streaming = clients
            .iter()
            .map(|client| client.until("tokens", SOON, |view| view.tokens > 20));
        try_join_all(streaming).await?;
        let begins = Moment::now();
        match outage {
            Outage::Silence => proxy.set(Mode::Stall),
            Outage::Killed => cluster.kill().await?,
            Outage::Paused => cluster.pause(),
        }
        scene.disturb();
        // What is said in the outage is accepted, and answered later.
        sleep(Duration::from_secs(1)).await;
        for client in &clients {
            client
                .say(&Script::new(format!("{}-b", client.session_id())))
                .await;
        }
        sleep(Duration::from_secs(seconds as u64 - 3)).await;
        let ends = Moment::now();
        if kills_server {
            scene.kill(0).await?;
            sleep(Duration::from_secs(1)).await;
        } else {
            sleep(Duration::from_secs(2)).await;
        }
        match outage {
            Outage::Silence => {
                proxy.reset_all();
                proxy.set(Mode::Pass);
            }
            Outage::Killed => cluster.start_server().await?,
            Outage::Paused => cluster.resume(),
        }
        scene.disturb();
        if kills_server {
            scene.nodes[0].start_again().await?;
        }
        try_join_all(clients.iter().map(|client| client.until_answered(2 * SOON))).await?;
        for client in &clients {
            told(client, kills_server)?;
        }
        let worst = gaps(&clients, begins, ends);
        // Twice the usual gap, and what a machine with two cores adds.
        ensure!(
            worst < Duration::from_secs_f64(2.0 / f64::from(RATE)) + Duration::from_millis(150),
            "tokens came with gaps of {worst:?} (p99) during the outage"
        );
        scene.figures.add("outages", 1);
        scene.leave(clients).await;
    }
    scene.finalized(Duration::from_secs(60)).await?;
    scene.verdict(true).await
}

/// Each reader is told once that the database is away, and once that it is back.
fn told(client: &Client, kills_server: bool) -> anyhow::Result<()> {
    client.look(|view| {
        let count = |code: &str| view.notices.iter().filter(|it| *it == code).count();
        let (degraded, recovered) = (count("store_degraded"), count("store_recovered"));
        // What a killed process would have told is told by nobody.
        let fits = if kills_server {
            degraded >= 1
        } else {
            degraded == 1 && recovered == 1
        };
        ensure!(
            fits,
            "session {} was told store_degraded {degraded} times, store_recovered {recovered} times",
            client.session_id()
        );
        ensure!(
            !view.accepted.is_empty(),
            "session {}: a message was not accepted during the outage: {}",
            client.session_id(),
            view.describe()
        );
        Ok(())
    })
}

/// The 99th percentile of the time between two tokens, of all readers, in this time.
fn gaps(clients: &[Client], begins: Moment, ends: Moment) -> Duration {
    let mut gaps = Vec::new();
    for client in clients {
        client.look(|view| {
            let times: Vec<Moment> = view
                .log
                .connections
                .iter()
                .flat_map(|connection| &connection.frames)
                .filter(|received| received.frame["type"] == "token")
                .map(|received| received.at)
                .filter(|at| *at > begins && *at < ends)
                .collect();
            gaps.extend(times.windows(2).map(|pair| pair[1].since(pair[0])));
        });
    }
    gaps.sort();
    gaps.get(gaps.len() * 99 / 100)
        .copied()
        .unwrap_or(Duration::MAX)
}
