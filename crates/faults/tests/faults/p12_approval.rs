//! P12: nothing runs by an approval that is not one: of a call that is not there, of another session,
//! twice, of a kind that no call has. No built-in tool waits for one, so that none may have an effect.

use std::sync::Arc;

use anyhow::ensure;
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
