//! P24: health tells the truth: a process whose database is away lives, and is ready as long as it has a
//! spool; without one it is not.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use patter_faults::cluster::Cluster;
use patter_faults::figures::Figures;
use patter_faults::node::Node;
use patter_faults::proxy::{Mode, Proxy};
use tokio::time::{Instant, sleep};

use super::p15_overload::one_turn;
use crate::runner::{Outcome, World};
use crate::scene::{Stage, Store};

pub(crate) async fn health(world: Arc<World>) -> Outcome {
    let cluster = Cluster::start().await?;
    let mut figures = Figures::default();
    for with_spool in [true, false] {
        let proxy = Proxy::start(([127, 0, 0, 1], cluster.port()).into()).await?;
        let store = Store::on(&cluster).await?;
        let store = store.by_way_of(proxy.address().port(), "");
        let mut stage = Stage::new(&world, store);
        if !with_spool {
            stage = stage.set("PATTER_STORE__SPOOL", "off");
        }
        let mut scene = stage.start(1).await?;
        for mode in [Mode::Refuse, Mode::Stall] {
            check(&scene.nodes[0], with_spool, &proxy, mode).await?;
            figures.add("outages", 1);
        }
        one_turn(&mut scene, "p24-after").await?;
        scene.finalized(Duration::from_secs(40)).await?;
        figures.merge(&scene.verdict(true).await?);
    }
    Ok(figures)
}

async fn check(node: &Node, with_spool: bool, proxy: &Proxy, mode: Mode) -> anyhow::Result<()> {
    if mode == Mode::Refuse {
        proxy.set(mode);
        proxy.reset_all();
    } else {
        proxy.set(mode);
    }
    // Long enough for every check of it to have failed; it lives all the while.
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        let live = node.get("/health/live").await?;
        ensure!(live.status == 200, "/health/live says {}", live.status);
        sleep(Duration::from_millis(200)).await;
    }
    let ready = node_ready(node).await?;
    let wanted = if with_spool { 200 } else { 503 };
    ensure!(
        ready == wanted,
        "with the database away ({mode:?}, spool: {with_spool}) /health/ready says {ready}"
    );
    proxy.reset_all();
    proxy.set(Mode::Pass);
    let deadline = Instant::now() + Duration::from_secs(15);
    while node_ready(node).await? != 200 {
        ensure!(
            Instant::now() < deadline,
            "not ready with the database back"
        );
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// The status of readiness; a check of a silent database may take its time.
async fn node_ready(node: &Node) -> anyhow::Result<u16> {
    let asked = patter_faults::raw::get(node.address(), "/health/ready");
    let answer = tokio::time::timeout(Duration::from_secs(10), asked).await??;
    Ok(answer.status)
}
