//! P14: upgrade and rollback work with both versions running, as far as one binary can show it: it works
//! on a database that a newer version has migrated further, with a column, a migration, and fields and
//! kinds of events that it does not know.

use std::sync::Arc;

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::script::Script;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Scene, Stage, Store};

/// What a newer version may do: tables only grow.
const NEWER: &str = "
    alter table patter.sessions add column mood text not null default 'fine';
    alter table patter.session_events add column weight integer;
    create table patter.later (id bigint primary key);
    update patter.session_events set metadata = metadata || '{\"from_the_future\": {\"a\": [1]}}'
        where event_type in ('user_message', 'ai_response');
    insert into patter._migrations (version, description, success, checksum, execution_time)
        values (20990101000001, 'later', true, decode('00', 'hex'), 1);
";

pub(crate) async fn newer_database(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).short_lease().start(2).await?;
    let clients: Vec<Client> = (0..20)
        .map(|number| scene.client(&format!("p14-{number}"), number))
        .collect();
    talk(&clients, "before").await?;
    scene.execute(NEWER).await?;
    // Both are at work while and after the database changes.
    talk(&clients, "between").await?;
    // One starts on what it finds.
    scene.kill(0).await?;
    scene.nodes[0].start_again().await?;
    talk(&clients, "after").await?;
    let ready = scene.nodes[0].get("/health/ready").await?;
    ensure!(ready.status == 200, "not ready on a newer database");
    leave_and_come_back(&mut scene, clients).await?;
    scene.finalized(2 * SOON).await?;
    // Rows that were changed behind the server's back are not what clients saw.
    for row in &mut scene.logs {
        for received in row.connections.iter_mut().flat_map(|it| &mut it.frames) {
            if let Some(fields) = received.frame.as_object_mut() {
                fields.remove("from_the_future");
            }
        }
    }
    let mut history = scene.history(true).await?;
    for row in history.sessions.iter_mut().flat_map(|it| &mut it.rows) {
        if let Some(fields) = row.event.as_object_mut() {
            fields.remove("from_the_future");
        }
    }
    crate::scene::no_complaints(&patter_faults::verify::verify(&history))?;
    scene.figures.add("migrations from the future", 1);
    Ok(scene.figures)
}

async fn talk(clients: &[Client], part: &str) -> anyhow::Result<()> {
    for client in clients {
        let script = Script::new(format!("{}-{part}", client.session_id()));
        client.say(&script.tools(1)).await;
    }
    try_join_all(clients.iter().map(|client| client.until_answered(2 * SOON)))
        .await
        .with_context(|| format!("{part} the migration"))?;
    Ok(())
}

/// What was said before is read by a process that knows less.
async fn leave_and_come_back(scene: &mut Scene, clients: Vec<Client>) -> anyhow::Result<()> {
    let names: Vec<String> = clients
        .iter()
        .map(|client| client.session_id().to_owned())
        .collect();
    scene.leave(clients).await;
    scene.finalized(2 * SOON).await?;
    let clients: Vec<Client> = names.iter().map(|name| scene.client(name, 7)).collect();
    talk(&clients, "reopened").await?;
    scene.leave(clients).await;
    Ok(())
}
