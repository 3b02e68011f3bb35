//! P10: every answer ends in exactly one `ai_response`, whatever the provider does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::figures::Figures;
use patter_faults::history::text;
use patter_faults::model::FAULTS;
use patter_faults::script::Script;

use crate::runner::{Outcome, World};
use crate::scene::{Stage, Store};

/// Faults that one process meets: so few that its circuit stays closed, which would hide the rest.
const TOGETHER: usize = 4;

pub(crate) async fn provider_faults(world: Arc<World>) -> Outcome {
    let database = Store::shared(&world).await?;
    faults(&world, || database.clone()).await
}

pub(crate) async fn embedded(world: Arc<World>) -> Outcome {
    faults(&world, || Store::Embedded).await
}

async fn faults(world: &World, store: impl Fn() -> Store) -> Outcome {
    let mut figures = Figures::default();
    for time in 0..world.loops(3, 50) {
        let groups = FAULTS
            .chunks(TOGETHER)
            .map(|group| some(world, store(), group, time));
        for done in try_join_all(groups).await? {
            figures.merge(&done);
        }
    }
    Ok(figures)
}

/// Some faults, on a process of their own.
async fn some(
    world: &World,
    store: Store,
    group: &[(&str, &str)],
    time: usize,
) -> anyhow::Result<Figures> {
    let stage = Stage::new(world, store)
        // Silence is to be over soon.
        .set("PATTER_LLM__HEADERS_TIMEOUT", "4")
        .set("PATTER_LLM__FIRST_TOKEN_TIMEOUT", "4")
        .set("PATTER_LLM__NEXT_TOKEN_TIMEOUT", "4")
        .set("PATTER_LLM__RETRY_MAX_WAIT", "2");
    let mut scene = stage.start(1).await?;
    let clients: Vec<Client> = group
        .iter()
        .map(|(fault, _)| scene.client(&format!("p10-{time}-{fault}"), time as u64))
        .collect();
    let answered = clients
        .iter()
        .zip(group)
        .map(|(client, (fault, _))| async move {
            // The length of the id says where a connection breaks.
            let id = format!("{}-{}", client.session_id(), "x".repeat(time));
            client
                .say(&Script::new(id).tokens(12, 1_000).fault(fault))
                .await;
            client.until_answered(Duration::from_secs(30)).await
        });
    try_join_all(answered).await?;
    for (client, (fault, end)) in clients.iter().zip(group) {
        client.look(|view| {
            let frames = view.log.connections.iter().flat_map(|it| &it.frames);
            let ends: Vec<&str> = frames
                .filter(|it| it.frame["type"] == "ai_response")
                .map(|it| text(&it.frame, "finish_reason"))
                .collect();
            let fits = ends.len() == 1 && (*end == "any" || ends[0] == *end);
            ensure!(fits, "the fault {fault} ended as {ends:?} instead of {end}");
            Ok(())
        })?;
    }
    scene.figures.add("provider faults", clients.len());
    let names: Vec<String> = clients
        .iter()
        .map(|it| it.session_id().to_owned())
        .collect();
    scene.leave(clients).await;
    scene.only(names);
    scene.finalized(Duration::from_secs(30)).await?;
    scene.verdict(true).await
}
