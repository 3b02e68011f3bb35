//! P21: the clock of the machine may jump by an hour, either way, in the middle of an answer: nothing is
//! finalized early, no lease is lost, nobody is sent away.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::script::Script;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Stage, Store};

/// Where Debian puts it.
const LIBRARIES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
];

pub(crate) async fn jumps(world: Arc<World>) -> Outcome {
    let library = LIBRARIES
        .iter()
        .find(|path| Path::new(path).exists())
        .context("libfaketime is not installed: `apt-get install faketime`")?;
    let folder = TempDir::new()?;
    let offset = folder.path().join("offset");
    fs::write(&offset, "+0")?;
    let store = Store::shared(&world).await?;
    let stage = Stage::new(&world, store)
        .set("LD_PRELOAD", library)
        .set("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .set("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap())
        // It is read again at each look at the clock.
        .set("FAKETIME_NO_CACHE", "1");
    let mut scene = stage.start(1).await?;
    for round in 0..world.loops(1, 20) {
        let clients: Vec<Client> = (0..20)
            .map(|number| scene.client(&format!("p21-{round}-{number}"), number))
            .collect();
        for jump in ["+3600", "-3600", "+0"] {
            for client in &clients {
                let id = format!("{}-{jump}", client.session_id());
                client.say(&Script::new(id).tokens(60, 30)).await;
            }
            let seen: Vec<usize> = clients
                .iter()
                .map(|client| client.look(|view| view.tokens))
                .collect();
            let streaming = clients.iter().zip(&seen).map(|(client, seen)| {
                client.until("a token", SOON, move |view| view.tokens > *seen)
            });
            try_join_all(streaming).await?;
            fs::write(&offset, jump)?;
            try_join_all(clients.iter().map(|client| client.until_answered(SOON))).await?;
            scene.figures.add("jumps of the clock", 1);
        }
        sleep(Duration::from_secs(1)).await;
        for client in &clients {
            client.look(|view| {
                let connections = view.log.connections.len();
                ensure!(
                    connections == 1 && view.endings == 0 && view.answers.len() == 1,
                    "session {} did not go on as if nothing had been: {}",
                    client.session_id(),
                    view.describe()
                );
                Ok(())
            })?;
        }
        scene.leave(clients).await;
    }
    scene.finalized(SOON).await?;
    // The times of rows are those of a clock that jumped: I8 goes by order, so births are left out.
    let mut history = scene.history(true).await?;
    for row in history.sessions.iter_mut().flat_map(|it| &mut it.rows) {
        row.at = patter_faults::moment::Moment::at(0.0);
    }
    crate::scene::no_complaints(&patter_faults::verify::verify(&history))?;
    Ok(scene.figures)
}
