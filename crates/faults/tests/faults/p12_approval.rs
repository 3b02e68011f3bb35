//! P12: nothing runs by an approval that is not one: of a call that is not there, of another session,
//! twice, of a kind that no call has. A call that waits runs by one that is, once, also after a `kill -9`.

use std::sync::Arc;

use anyhow::{bail, ensure};
use patter_faults::client::Client;
use patter_faults::history::text;
use patter_faults::model::FakeModel;
use patter_faults::script::Script;
use serde_json::json;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Stage, Store};

pub(crate) async fn approvals_of_nothing(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).start(1).await?;
    let (client, other) = (scene.client("p12-a", 1), scene.client("p12-b", 2));
    for client in [&client, &other] {
        let script = Script::new(format!("{}-a", client.session_id()));
        client.say(&script.tools(1)).await;
        client.until_answered(SOON).await?;
    }
    let calls = [
        "call-p12-a-a-0",
        "call-p12-b-a-0",
        "call_0",
        "",
        "no such call",
    ];
    let mut tried = 0;
    for call_id in calls {
        for approve in [true, false, true] {
            client
                .send(json!({"type": "tool_approval", "call_id": call_id, "approve": approve}))
                .await;
            tried += 1;
        }
    }
    for odd in [
        json!({"type": "tool_approval", "call_id": 7, "approve": true}),
        json!({"type": "tool_approval", "call_id": "call_0", "approve": "yes"}),
        json!({"type": "tool_approval", "approve": true}),
        json!({"type": "tool_approval", "call_id": "x".repeat(10_000), "approve": true}),
        json!({"type": "tool_approval", "call_id": "call_0"}),
    ] {
        client.send(odd).await;
        tried += 1;
    }
    client
        .until("every refusal", SOON, |view| view.errors.len() >= tried)
        .await?;
    let (errors, results) = client.look(|view| (view.errors.clone(), view.tool_results));
    ensure!(
        errors
            .iter()
            .all(|code| code == "unknown_call" || code == "invalid_field"),
        "an approval of nothing was answered by {errors:?}"
    );
    ensure!(results == 1, "a tool ran {results} times");
    scene.figures.add("approvals of nothing", tried);
    scene.leave(vec![client, other]).await;
    scene.finalized(SOON).await?;
    scene.verdict(true).await
}

pub(crate) async fn approvals(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let model = Arc::new(FakeModel::start().await);
    let stage = Stage::new(&world, store).short_lease().noting(&model);
    let stage = stage.set("PATTER_DATA_SOURCES__NOTE__APPROVAL", "always");
    let mut scene = stage.start_with(model, 1).await?;
    let clients: Vec<Client> = (0..5)
        .map(|number| scene.client(&format!("p12-call-{number}"), number))
        .collect();
    for client in &clients {
        let script = Script::new(format!("{}-a", client.session_id()));
        client.say(&script.tools(1)).await;
        client
            .until("its call", SOON, |view| view.tool_calls == 1)
            .await?;
    }
    let calls: Vec<String> = clients.iter().map(call_of).collect();
    let [yes, no, strange, later, survivor] = clients.as_slice() else {
        bail!("there are five")
    };
    // Of another session, it is refused, and nothing runs.
    decide(strange, &calls[3], true).await;
    strange
        .until("a refusal", SOON, |view| view.errors.len() == 1)
        .await?;
    ensure!(
        scene.model.notes().is_empty(),
        "a tool ran without approval"
    );
    decide(yes, &calls[0], true).await;
    decide(no, &calls[1], false).await;
    decide(strange, &calls[2], false).await;
    let before = later.look(|view| view.log.connections.len());
    later.cut().await;
    later
        .until("it is back", SOON, |view| {
            view.log.connections.len() > before && view.is_ready
        })
        .await?;
    decide(later, &calls[3], true).await;
    for client in [yes, no, strange, later] {
        client.until_answered(SOON).await?;
    }
    decide(yes, &calls[0], true).await;
    yes.until("a refusal", SOON, |view| view.errors.len() == 1)
        .await?;
    // The process is lost while a call waits, and another one goes on waiting.
    let before = survivor.look(|view| view.log.connections.len());
    scene.kill(0).await?;
    scene.nodes[0].start_again().await?;
    survivor
        .until("it is back", SOON, |view| {
            view.log.connections.len() > before && view.is_ready
        })
        .await?;
    ensure!(
        !scene.model.notes().contains(&calls[4]),
        "a tool ran without approval after a restart"
    );
    decide(survivor, &calls[4], true).await;
    survivor.until_answered(SOON).await?;
    let mut notes = scene.model.notes();
    notes.sort();
    let mut approved = vec![calls[0].clone(), calls[3].clone(), calls[4].clone()];
    approved.sort();
    ensure!(notes == approved, "{notes:?} ran, {approved:?} may");
    scene.figures.add("approvals", 3);
    scene.figures.add("refusals", 2);
    scene.leave(clients).await;
    scene.finalized(SOON).await?;
    scene.verdict(true).await
}

/// The call that the client was shown last.
fn call_of(client: &Client) -> String {
    client.look(|view| {
        let connections = view.log.connections.iter().rev();
        let mut frames = connections.flat_map(|it| it.frames.iter().rev());
        let call = frames.find(|it| it.frame["type"] == "tool_call");
        call.map(|it| text(&it.frame, "call_id").to_owned())
            .unwrap_or_default()
    })
}

async fn decide(client: &Client, call_id: &str, approve: bool) {
    client
        .send(json!({"type": "tool_approval", "call_id": call_id, "approve": approve}))
        .await;
}
