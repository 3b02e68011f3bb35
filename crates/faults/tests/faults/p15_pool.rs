//! P15, for the database: no connection is held while an answer streams, so five of them are enough
//! for a thousand sessions that stream at the same time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::try_join_all;
use patter_faults::client::{Client, View};
use patter_faults::script::Script;
use tokio::time::sleep;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Stage, Store};

const SESSIONS: u64 = 1_000;
/// Connections to the database.
const POOL: &str = "5";
/// An answer streams for three seconds.
const TOKENS: usize = 30;
const RATE: u32 = 10;

pub(crate) async fn a_thousand_sessions(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let stage = Stage::new(&world, store)
        .set("PATTER_STORE__MAX_CONNECTIONS", POOL)
        .set("PATTER_LIMITS__TURNS", &SESSIONS.to_string());
    let mut scene = stage.start(1).await?;
    let clients: Vec<Client> = (0..SESSIONS)
        .map(|number| scene.client(&format!("p15-pool-{number}"), number))
        .collect();
    all(&clients, "a connection", |view| view.is_ready).await?;
    for turn in 1..=world.loops(2, 100) {
        for client in &clients {
            let script = Script::new(format!("{}-{turn}", client.session_id()));
            client.say(&script.tokens(TOKENS, RATE)).await;
        }
        let before = TOKENS * (turn - 1);
        all(&clients, "a token", move |view| view.tokens > before).await?;
        let streaming = |client: &&Client| !client.look(View::is_answered);
        let streaming = clients.iter().filter(streaming).count();
        ensure!(
            streaming >= clients.len() * 9 / 10,
            "only {streaming} sessions streamed at the same time"
        );
        scene
            .figures
            .add("turns on five connections", clients.len());
        all(&clients, "every answer", View::is_answered).await?;
        // Not in step with the next turn.
        sleep(Duration::from_millis(100)).await;
    }
    for client in &clients {
        client.look(|view| {
            ensure!(
                view.log.refusals.is_empty() && view.notices.is_empty() && view.errors.is_empty(),
                "session {} was not served well: {}",
                client.session_id(),
                view.describe()
            );
            Ok(())
        })?;
    }
    scene.leave(clients).await;
    scene.finalized(2 * SOON).await?;
    let log = scene.nodes[0].log();
    ensure!(
        !log.contains("timed out") && !log.contains("cannot"),
        "the server had to wait for connections: {log}"
    );
    scene.verdict(true).await
}

async fn all(
    clients: &[Client],
    what: &str,
    holds: impl Fn(&View) -> bool + Copy,
) -> anyhow::Result<()> {
    let each = clients.iter().map(|client| client.until(what, SOON, holds));
    try_join_all(each).await?;
    Ok(())
}
