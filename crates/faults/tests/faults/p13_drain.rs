//! P13: SIGTERM loses nothing: answers finish, clients are sent elsewhere over some time, sessions are
//! handed over, the process ends by itself with 0. A second SIGTERM is faster and not different.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::history::End;
use patter_faults::moment::Moment;
use patter_faults::script::Script;
use tokio::time::{Instant, sleep};

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Scene, Stage, Store};

/// How long answers may take to finish, in seconds.
const DRAIN: u64 = 5;

/// Clients that may be sent away within a tenth of a second: it is one in 10 ms.
const AT_ONCE: usize = 25;

fn draining(stage: Stage) -> Stage {
    stage
        .set("PATTER_SERVER__DRAIN_TIMEOUT", &DRAIN.to_string())
        .set("PATTER_SERVER__DRAIN_DELAY", "0")
        .set("PATTER_SESSION__LINGER", "5")
}

pub(crate) async fn rolling_restart(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let stage = draining(Stage::new(&world, store)).short_lease();
    let mut scene = stage.start(3).await?;
    let clients: Vec<Client> = (0..world.loops(120, 600))
        .map(|number| scene.client(&format!("p13-{number}"), number as u64))
        .collect();
    for round in 0..world.loops(1, 20) {
        for node in 0..3 {
            restart(&mut scene, &clients, &format!("{round}-{node}"), node).await?;
        }
    }
    scene.leave(clients).await;
    scene.finalized(2 * SOON).await?;
    scene.verdict(true).await
}

pub(crate) async fn embedded(world: Arc<World>) -> Outcome {
    let mut scene = draining(Stage::new(&world, Store::Embedded))
        .start(1)
        .await?;
    let clients: Vec<Client> = (0..40)
        .map(|number| scene.client(&format!("p13-{number}"), number))
        .collect();
    for round in 0..world.loops(2, 20) {
        restart(&mut scene, &clients, &format!("{round}"), 0).await?;
    }
    scene.leave(clients).await;
    scene.finalized(2 * SOON).await?;
    scene.verdict(true).await
}

/// One process is restarted while everybody listens to an answer.
async fn restart(
    scene: &mut Scene,
    clients: &[Client],
    part: &str,
    node: usize,
) -> anyhow::Result<()> {
    for client in clients {
        let script = Script::new(format!("{}-{part}", client.session_id()));
        client.say(&script.tokens(50, 25)).await;
    }
    sleep(Duration::from_millis(700)).await;
    let begins = Moment::now();
    scene.disturbances.push(begins);
    scene.nodes[node].terminate();
    let status = scene.nodes[node]
        .ended(Duration::from_secs(DRAIN + 10))
        .await?;
    ensure!(status.success(), "a drained process ended with {status}");
    scene.disturb();
    scene.nodes[node].start_again().await?;
    let back = clients.iter().map(|client| async move {
        client
            .until("a connection", SOON, |view| view.is_ready)
            .await?;
        client.until_answered(2 * SOON).await
    });
    try_join_all(back).await?;
    scene.figures.add("restarts", 1);
    not_all_at_once(clients, begins)?;
    for client in clients {
        client.look(|view| {
            ensure!(
                !view.answers.contains_key("interrupted") && !view.answers.contains_key("error"),
                "session {}: an answer did not finish: {}",
                client.session_id(),
                view.describe()
            );
            Ok(())
        })?;
    }
    Ok(())
}

/// Clients are sent away one after the other, so that they do not come back all at once.
fn not_all_at_once(clients: &[Client], begins: Moment) -> anyhow::Result<()> {
    let mut buckets: HashMap<u128, usize> = HashMap::new();
    for client in clients {
        client.look(|view| {
            let ends = view.log.connections.iter().filter_map(|it| it.end);
            for (at, _) in ends.filter(|(at, end)| *at > begins && *end == End::Closed(1012)) {
                *buckets
                    .entry(at.since(begins).as_millis() / 100)
                    .or_default() += 1;
            }
        });
    }
    let most = buckets.values().max().copied().unwrap_or_default();
    ensure!(
        most <= AT_ONCE,
        "{most} clients were sent away within a tenth of a second"
    );
    Ok(())
}

pub(crate) async fn second_signal(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let stage = draining(Stage::new(&world, store)).set("PATTER_SERVER__DRAIN_TIMEOUT", "60");
    let mut scene = stage.start(1).await?;
    let clients: Vec<Client> = (0..20)
        .map(|number| scene.client(&format!("p13-twice-{number}"), number))
        .collect();
    for client in &clients {
        let script = Script::new(format!("{}-a", client.session_id()));
        client.say(&script.tokens(3_000, 50)).await;
    }
    let streaming = clients
        .iter()
        .map(|client| client.until("tokens", SOON, |view| view.tokens > 5));
    try_join_all(streaming).await?;
    scene.nodes[0].terminate();
    let noticed = clients.iter().map(|client| {
        client.until("the notice", SOON, |view| {
            view.notices.iter().any(|code| code == "draining")
        })
    });
    try_join_all(noticed).await?;
    scene.disturb();
    let start = Instant::now();
    scene.nodes[0].terminate();
    let status = scene.nodes[0].ended(SOON).await?;
    let took = start.elapsed();
    ensure!(
        took < Duration::from_secs(5),
        "a second SIGTERM took {took:?} ({status})"
    );
    scene.disturb();
    scene.nodes[0].start_again().await?;
    try_join_all(clients.iter().map(|client| client.until_answered(2 * SOON))).await?;
    scene.leave(clients).await;
    scene.finalized(2 * SOON).await?;
    scene.verdict(true).await
}
