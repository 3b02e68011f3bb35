//! P9: an answer survives its audience, and `cancel` always stops it, the provider's stream too, within
//! half a second.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::history::text;
use patter_faults::moment::Moment;
use patter_faults::script::Script;
use serde_json::json;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Scene, Stage, Store};

const TOKENS: usize = 40;
const RATE: u32 = 50;
/// From the cancel to the end of the provider's stream.
const STOPPED_WITHIN: Duration = Duration::from_millis(500);

pub(crate) async fn disconnect(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).start(1).await?;
    disconnects(&world, &mut scene).await?;
    scene.verdict(true).await
}

pub(crate) async fn embedded(world: Arc<World>) -> Outcome {
    let mut scene = Stage::new(&world, Store::Embedded).start(1).await?;
    disconnects(&world, &mut scene).await?;
    scene.verdict(true).await
}

/// Clients leave at the first token, in the middle, at the last one; their answers are whole.
async fn disconnects(world: &World, scene: &mut Scene) -> anyhow::Result<()> {
    let mut random = world.random(900);
    let many = world.loops(90, 500);
    let clients: Vec<(usize, Client)> = (0..many)
        .map(|number| {
            let leaves_at = match number % 3 {
                0 => 1,
                1 => random.usize(2..TOKENS),
                _ => TOKENS,
            };
            let client = scene.client(&format!("p09-{number}"), random.u64(..));
            (leaves_at, client)
        })
        .collect();
    for (_, client) in &clients {
        let id = format!("{}-a", client.session_id());
        client.say(&Script::new(id).tokens(TOKENS, RATE)).await;
    }
    let left = clients.into_iter().map(|(leaves_at, client)| async move {
        client
            .until("its token", SOON, |view| view.tokens >= leaves_at)
            .await?;
        // Acknowledged, so that the answer must be there.
        client.until_acknowledged(SOON).await?;
        anyhow::Ok(client.vanish().await)
    });
    let logs = try_join_all(left).await?;
    scene.logs.extend(logs);
    scene.finalized(SOON).await?;
    let sessions = scene.tables.read().await?;
    let answers: Vec<_> = sessions
        .iter()
        .flat_map(|session| &session.rows)
        .filter(|row| row.kind() == "ai_response")
        .collect();
    let whole = answers
        .iter()
        .filter(|row| row.event["finish_reason"] == "stop")
        .count();
    // That their text is what the model said is for the judge.
    ensure!(whole == many, "{whole} of {many} answers are whole");
    scene.figures.add("disconnects", many);
    Ok(())
}

pub(crate) async fn cancel(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).start(1).await?;
    cancels(&world, &mut scene).await?;
    scene.verdict(true).await
}

pub(crate) async fn cancel_embedded(world: Arc<World>) -> Outcome {
    let mut scene = Stage::new(&world, Store::Embedded).start(1).await?;
    cancels(&world, &mut scene).await?;
    scene.verdict(true).await
}

/// Clients cancel at a random time, before the first token too.
pub(crate) async fn cancels(world: &World, scene: &mut Scene) -> anyhow::Result<()> {
    let mut random = world.random(950);
    let many = world.loops(30, 300);
    let clients: Vec<(usize, Client)> = (0..many)
        .map(|number| {
            let client = scene.client(&format!("p09-cancel-{number}"), random.u64(..));
            (random.usize(0..TOKENS), client)
        })
        .collect();
    let cancelled = clients.iter().map(|(at, client)| async move {
        let script = Script::new(format!("{}-a", client.session_id())).tokens(2_000, RATE);
        client.say(&script).await;
        client.until_acknowledged(SOON).await?;
        client
            .until("its token", SOON, |view| view.tokens >= *at)
            .await?;
        let cancelled_at = Moment::now();
        client.send(json!({"type": "cancel"})).await;
        client.until_answered(SOON).await?;
        anyhow::Ok((script.id, cancelled_at))
    });
    let cancelled = try_join_all(cancelled).await?;
    // The last of them may need its half second.
    tokio::time::sleep(STOPPED_WITHIN).await;
    let asked = scene.model.asked();
    for (id, cancelled_at) in &cancelled {
        let request = asked.iter().find(|it| it.message.as_ref() == Some(id));
        // A message that was cancelled before the model was asked is fine.
        let Some(request) = request else { continue };
        let Some(left_at) = request.left_at else {
            anyhow::bail!("the stream of {id} is open long after the cancel");
        };
        let took = left_at.since(*cancelled_at);
        ensure!(
            took < STOPPED_WITHIN,
            "the stream of {id} was closed {took:?} after the cancel"
        );
    }
    for (_, client) in &clients {
        client.look(|view| {
            let frames = view.log.connections.iter().flat_map(|it| &it.frames);
            let reasons: Vec<&str> = frames
                .filter(|it| it.frame["type"] == "ai_response")
                .map(|it| text(&it.frame, "finish_reason"))
                .collect();
            ensure!(
                reasons == ["cancelled"],
                "a cancelled answer ended as {reasons:?}"
            );
            Ok(())
        })?;
    }
    scene.figures.add("cancels", many);
    scene
        .leave(clients.into_iter().map(|(_, client)| client).collect())
        .await;
    scene.finalized(SOON).await
}
