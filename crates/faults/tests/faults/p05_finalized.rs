//! P5: a session is always finalized, exactly once for each opening, by the process that holds it or,
//! after a crash, by another one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::{join_all, try_join_all};
use patter_faults::client::{Client, Habits};
use patter_faults::script::Script;
use tokio::time::{Instant, sleep};

use crate::runner::{Outcome, World};
use crate::scene::{LEASE_SECONDS, SOON, Scene, Stage, Store};

/// Linger, lease, one round of the sweeper, and time to do it.
const IN_TIME: Duration = Duration::from_secs(1 + LEASE_SECONDS + 1 + 10);

pub(crate) async fn by_another_node(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).short_lease().start(3).await?;
    for round in 0..world.loops(2, 20) {
        let victim = round % 3;
        abandon(&world, &mut scene, round, victim).await?;
        // The one that would do it first may die in the middle of it too.
        if round % 2 == 1 {
            sleep(Duration::from_secs(LEASE_SECONDS + 1)).await;
            scene.kill((victim + 1) % 3).await?;
        }
        in_time(&mut scene).await?;
        for node in &mut scene.nodes {
            if node.pid().is_none() {
                node.start_again().await?;
            }
        }
    }
    scene.verdict(true).await
}

pub(crate) async fn after_a_restart(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let stage = Stage::new(&world, store).short_lease();
    restart(&world, stage).await
}

pub(crate) async fn embedded(world: Arc<World>) -> Outcome {
    let stage = Stage::new(&world, Store::Embedded).short_lease();
    restart(&world, stage).await
}

/// Nobody is there for a while, then one process comes.
async fn restart(world: &World, stage: Stage) -> Outcome {
    let mut scene = stage.start(1).await?;
    for round in 0..world.loops(2, 20) {
        abandon(world, &mut scene, 100 + round, 0).await?;
        sleep(Duration::from_secs(world.loops(2, 300) as u64)).await;
        scene.nodes[0].start_again().await?;
        in_time(&mut scene).await?;
    }
    scene.verdict(true).await
}

/// Sessions in every state lose their process and their clients at once.
async fn abandon(
    world: &World,
    scene: &mut Scene,
    round: usize,
    victim: usize,
) -> anyhow::Result<()> {
    let mut random = world.random(500 + round as u64);
    let address = scene.addresses()[victim];
    let clients: Vec<Client> = (0..world.loops(60, 200))
        .map(|number| {
            let habits = Habits::quick(vec![address], random.u64(..));
            Client::start(format!("p05-{round}-{number}"), habits)
        })
        .collect();
    let said = clients
        .iter()
        .enumerate()
        .map(|(number, client)| async move {
            let script = Script::new(format!("p05-{round}-{number}"));
            match number % 4 {
                // Idle, after a turn.
                0 | 1 => {
                    client.say(&script).await;
                    client.until_answered(SOON).await
                }
                // In the middle of an answer.
                2 => {
                    client.say(&script.tokens(500, 50)).await;
                    client.until("a token", SOON, |view| view.tokens > 0).await
                }
                // Between tools.
                _ => {
                    client.say(&script.tools(5).tokens(5, 20)).await;
                    client
                        .until("a result", SOON, |view| view.tool_results > 0)
                        .await
                }
            }
        });
    try_join_all(said).await?;
    // Some leave before the crash, so that their sessions linger or are being summarized.
    let (gone, rest): (Vec<_>, Vec<_>) = clients
        .into_iter()
        .enumerate()
        .partition(|(number, _)| number % 4 == 1);
    scene
        .leave(gone.into_iter().map(|(_, client)| client).collect())
        .await;
    sleep(Duration::from_millis(random.u64(..1_200))).await;
    scene.kill(victim).await?;
    let logs = join_all(rest.into_iter().map(|(_, client)| client.vanish())).await;
    scene.logs.extend(logs);
    Ok(())
}

async fn in_time(scene: &mut Scene) -> anyhow::Result<()> {
    let start = Instant::now();
    scene.finalized(IN_TIME).await?;
    let took = start.elapsed();
    ensure!(took <= IN_TIME, "it took {took:?}");
    scene.figures.add("rounds", 1);
    let sessions = scene.tables.read().await?;
    let recovered = sessions
        .iter()
        .flat_map(|session| &session.rows)
        .filter(|row| row.event["reason"] == "recovered")
        .count();
    ensure!(recovered > 0, "no session was finalized as recovered");
    Ok(())
}
