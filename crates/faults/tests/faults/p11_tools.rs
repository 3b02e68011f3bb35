//! P11: a tool call runs once at the most for each `call_id`, and a model that never stops asking for
//! tools is stopped; `kill -9` in the middle of the tools is no reason to run one again. What the tools do
//! is done in another process, which counts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::history::{StoredSession, text};
use patter_faults::model::FakeModel;
use patter_faults::script::Script;
use tokio::time::sleep;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Scene, Stage, Store};

pub(crate) async fn killed_in_mid_tool(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    kills(&world, Stage::new(&world, store).short_lease()).await
}

pub(crate) async fn embedded(world: Arc<World>) -> Outcome {
    kills(&world, Stage::new(&world, Store::Embedded)).await
}

async fn kills(world: &World, stage: Stage) -> Outcome {
    let model = Arc::new(FakeModel::start().await);
    let mut scene = stage.noting(&model).start_with(model, 1).await?;
    for round in 0..world.loops(3, 50) {
        play(world, &mut scene, round).await?;
    }
    scene.finalized(Duration::from_secs(40)).await?;
    let sessions = scene.tables.read().await?;
    calls_are_single(&sessions)?;
    let notes = scene.model.notes();
    effects_are_single(&sessions, &notes)?;
    scene.figures.add("effects of tools", notes.len());
    scene.verdict(true).await
}

/// What a tool did it did once for each call, and for calls alone that were written down before; and
/// what is said to have been done was done.
fn effects_are_single(sessions: &[StoredSession], notes: &[String]) -> anyhow::Result<()> {
    let rows = || sessions.iter().flat_map(|session| &session.rows);
    let calls = rows().filter(|row| row.kind() == "tool_call");
    let calls: HashSet<&str> = calls.map(|row| text(&row.event, "call_id")).collect();
    let mut done = HashSet::new();
    for note in notes {
        ensure!(
            calls.contains(note.as_str()),
            "{note} was run and not written down"
        );
        ensure!(done.insert(note.as_str()), "{note} was run twice");
    }
    for row in rows().filter(|row| row.kind() == "tool_result" && row.event["ok"] == true) {
        let call = text(&row.event, "call_id");
        ensure!(done.contains(call), "{call} has a result and was not run");
    }
    ensure!(!notes.is_empty(), "no tool was run");
    Ok(())
}

async fn play(world: &World, scene: &mut Scene, round: usize) -> anyhow::Result<()> {
    let mut random = world.random(1_100 + round as u64);
    let clients: Vec<Client> = (0..30)
        .map(|number| scene.client(&format!("p11-{round}-{number}"), random.u64(..)))
        .collect();
    for client in &clients {
        let id = format!("{}-a", client.session_id());
        client.say(&Script::new(id).tools(6).tokens(5, 50)).await;
    }
    let running = clients
        .iter()
        .map(|client| client.until("a result", SOON, |view| view.tool_results > 0));
    try_join_all(running).await?;
    sleep(Duration::from_millis(random.u64(..60))).await;
    scene.kill(0).await?;
    scene.nodes[0].start_again().await?;
    try_join_all(clients.iter().map(|client| client.until_answered(2 * SOON))).await?;
    scene.figures.add("rounds", 1);
    scene.leave(clients).await;
    Ok(())
}

/// Each call has one result, which comes after it, and nothing was called that was not written down.
fn calls_are_single(sessions: &[StoredSession]) -> anyhow::Result<()> {
    for session in sessions {
        let mut results: HashMap<&str, usize> = HashMap::new();
        for row in &session.rows {
            let call = text(&row.event, "call_id");
            match row.kind() {
                "tool_call" => {
                    let before = results.insert(call, 0);
                    ensure!(before.is_none(), "{call} was called twice");
                }
                "tool_result" => {
                    let results = results.get_mut(call);
                    ensure!(
                        results.is_some(),
                        "{call} has a result and was not written down"
                    );
                    *results.unwrap() += 1;
                }
                _ => {}
            }
        }
        for (call, results) in results {
            ensure!(results == 1, "{call} has {results} results");
        }
    }
    Ok(())
}

pub(crate) async fn limits(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).start(1).await?;
    let client = scene.client("p11-for-ever", 1);
    let script = Script::new("p11-for-ever").fault("tools_for_ever");
    client.say(&script).await;
    client.until_answered(SOON).await?;
    let (limited, calls) =
        client.look(|view| (view.answers.contains_key("tool_limit"), view.tool_results));
    ensure!(
        limited && calls <= 16,
        "it ended after {calls} calls, at the limit: {limited}"
    );
    scene.figures.add("tool calls", calls);
    scene.leave(vec![client]).await;
    scene.finalized(SOON).await?;
    // The model may be asked for each step; what was said is not the script's text.
    scene.verdict(true).await
}
