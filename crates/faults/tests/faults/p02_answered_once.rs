//! P2: the same message id is never answered twice, however often it is sent again, from several
//! connections at the same time, on two processes, across a crash.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join_all, select_ok, try_join_all};
use patter_faults::client::{Client, View};
use patter_faults::proxy::{Mode, Proxy};
use patter_faults::script::Script;
use tokio::time::sleep;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Scene, Stage, Store};

/// Messages that are under way in a session at the same time.
const AT_ONCE: usize = 5;
/// How often each is sent.
const TIMES: usize = 5;

pub(crate) async fn two_nodes(world: Arc<World>) -> Outcome {
    let stage = Stage::new(&world, Store::shared(&world).await?).short_lease();
    rounds(&world, stage, 2).await
}

pub(crate) async fn embedded(world: Arc<World>) -> Outcome {
    rounds(&world, Stage::new(&world, Store::Embedded), 1).await
}

async fn rounds(world: &World, stage: Stage, nodes: usize) -> Outcome {
    let mut scene = stage.start(nodes).await?;
    for round in 0..world.loops(2, 100) {
        // Every fifth round has a crash, and the second one so that there is one in short runs.
        play(world, &mut scene, round, round % 5 == 1).await?;
        scene.figures.add("rounds", 1);
    }
    scene.finalized(Duration::from_secs(40)).await?;
    scene.verdict(true).await
}

pub(crate) async fn play(
    world: &World,
    scene: &mut Scene,
    round: usize,
    crashes: bool,
) -> anyhow::Result<()> {
    let mut random = world.random(200 + round as u64);
    let sessions = world.loops(50, 200);
    let trios: Vec<Vec<Client>> = (0..sessions)
        .map(|number| {
            let session = format!("p02-{round}-{number}");
            let seed = random.u64(..);
            // Two begin where the session will be, the third one anywhere.
            vec![
                scene.client(&session, seed),
                scene.client(&session, seed),
                scene.client(&session, random.u64(..)),
            ]
        })
        .collect();
    let ready = trios.iter().flat_map(|trio| &trio[..2]);
    let ready = ready.map(|client| client.until("a connection", 2 * SOON, |view| view.is_ready));
    try_join_all(ready).await?;
    for part in 0..2 {
        let sending = join_all(trios.iter().enumerate().map(|(number, trio)| async move {
            for message in 0..AT_ONCE {
                let id = format!("p02-{round}-{number}-{part}-{message}");
                let script = Script::new(id).tokens(3, 200);
                trio[0].say(&script).await;
                trio[2].say(&script).await;
                for time in 2..TIMES {
                    trio[time % 2].repeat(&script).await;
                }
            }
        }));
        sending.await;
        if crashes && part == 1 {
            sleep(Duration::from_millis(random.u64(..60))).await;
            scene.kill(0).await?;
            scene.nodes[0].start_again().await?;
        }
        try_join_all(trios.iter().map(|trio| trio[0].until_answered(2 * SOON))).await?;
    }
    let all = trios.iter().flatten();
    try_join_all(all.map(|client| client.until_answered(2 * SOON))).await?;
    scene.leave(trios.into_iter().flatten().collect()).await;
    Ok(())
}

pub(crate) async fn ambiguous_commits(world: Arc<World>) -> Outcome {
    let database = world.shared_cluster().await?;
    let proxy = Proxy::start(([127, 0, 0, 1], database.port()).into()).await?;
    let store = Store::on(database).await?;
    let stage = Stage::new(&world, store.by_way_of(proxy.address().port(), ""));
    let mut scene = stage.start(1).await?;
    for round in 0..world.loops(1, 50) {
        cut_commits(&world, &mut scene, &proxy, round).await?;
        scene.figures.add("rounds", 1);
    }
    scene.figures.add("cuts", proxy.cuts());
    scene.finalized(Duration::from_secs(40)).await?;
    scene.verdict(true).await
}

/// The way to the database breaks before it answers: what was committed and what was not, nobody knows.
pub(crate) async fn cut_commits(
    world: &World,
    scene: &mut Scene,
    proxy: &Proxy,
    round: usize,
) -> anyhow::Result<()> {
    let mut random = world.random(250 + round as u64);
    let clients: Vec<Client> = (0..40)
        .map(|number| scene.client(&format!("p02-cut-{round}-{number}"), random.u64(..)))
        .collect();
    try_join_all(
        clients
            .iter()
            .map(|client| client.until("a connection", 2 * SOON, |view| view.is_ready)),
    )
    .await?;
    for part in 0..10 {
        // One that is cut off at any point, and one whose commit surely is.
        for mode in [Mode::Pass, Mode::Mute] {
            proxy.set(mode);
            for client in &clients {
                let id = format!("{}-{part}-{mode:?}", client.session_id());
                client.say(&Script::new(id).tokens(2, 1_000)).await;
            }
            if mode == Mode::Pass && part % 2 == 1 {
                // The way is whole again: what is withheld next are answers to writes. In every other part it
                // may be anything, an answer to a handshake too.
                let stored = clients.iter().map(|client| {
                    let id = format!("{}-{part}-{mode:?}", client.session_id());
                    let is_stored = move |view: &View| view.acknowledged.contains_key(&id);
                    client.until("a message stored", SOON, is_stored).boxed()
                });
                select_ok(stored).await?;
            }
            sleep(Duration::from_millis(random.u64(20..120))).await;
        }
        scene.disturb();
        proxy.reset_all();
        // What is withheld is lost, and not late.
        sleep(Duration::from_millis(10)).await;
        proxy.set(Mode::Pass);
    }
    try_join_all(clients.iter().map(|client| client.until_answered(2 * SOON))).await?;
    scene.leave(clients).await;
    Ok(())
}
