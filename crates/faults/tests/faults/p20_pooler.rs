//! P20: what the server is told is what the database does, also behind `PgBouncer` in transaction mode;
//! and a URL that does not say so is refused at the start.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::try_join_all;
use patter_faults::bouncer::Bouncer;
use patter_faults::client::Client;
use patter_faults::node::Node;
use patter_faults::script::Script;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Stage, Store};

pub(crate) async fn behind_pgbouncer(world: Arc<World>) -> Outcome {
    let cluster_port = world.shared_cluster().await?.port();
    let bouncer = Bouncer::start(cluster_port, 4).await?;
    let store = Store::shared(&world).await?;
    let pooled = store.by_way_of(bouncer.port(), "&pgbouncer=true");
    let mut scene = Stage::new(&world, pooled).start(2).await?;
    let clients: Vec<Client> = (0..60)
        .map(|number| scene.client(&format!("p20-{number}"), number))
        .collect();
    for part in 0..world.loops(3, 60) {
        for client in &clients {
            let script = Script::new(format!("{}-{part}", client.session_id()));
            client.say(&script.tools(1).tokens(5, 1_000)).await;
        }
        try_join_all(clients.iter().map(|client| client.until_answered(2 * SOON))).await?;
        scene.figures.add("turns behind a pooler", clients.len());
    }
    scene.leave(clients).await;
    scene.finalized(2 * SOON).await?;
    scene.verdict(true).await
}

pub(crate) async fn refused_at_start(world: Arc<World>) -> Outcome {
    let cluster_port = world.shared_cluster().await?.port();
    let bouncer = Bouncer::start(cluster_port, 4).await?;
    let store = Store::shared(&world).await?;
    let Store::Postgres { url, .. } = store.by_way_of(bouncer.port(), "") else {
        anyhow::bail!("a database has a URL");
    };
    let variables = [
        ("DATABASE_URL".to_owned(), url),
        ("PATTER_LLM__PROVIDER".to_owned(), "demo".to_owned()),
    ];
    let mut node = Node::prepare(&world.binary, &variables)?;
    node.spawn()?;
    let status = node.ended(Duration::from_secs(30)).await?;
    ensure!(
        !status.success(),
        "a pooler in transaction mode that is not named as one was not refused"
    );
    ensure!(
        node.log().to_lowercase().contains("pool"),
        "the refusal does not say why: {}",
        node.log()
    );
    let mut figures = patter_faults::figures::Figures::default();
    figures.add("refused starts", 1);
    Ok(figures)
}
