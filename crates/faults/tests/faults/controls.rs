//! Negative controls: each mechanism is broken on purpose, and the judge must complain. They show that
//! the promises can be broken, and that it would be noticed.
//!
//! The binary is built a second time with what breaks a mechanism where `SABOTAGE` names it;
//! what the database does is broken there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, select_ok, try_join_all};
use patter_faults::client::Client;
use patter_faults::figures::Figures;
use patter_faults::proxy::{Mode, Proxy};
use patter_faults::script::Script;
use patter_faults::verify::{Complaint, Invariant};
use tokio::time::{sleep, timeout};

use super::{p02_answered_once, p04_one_owner, p09_audience};
use crate::runner::{Outcome, World};
use crate::scene::{Scene, Stage, Store};

/// A mechanism, how it is broken, and what is played then.
struct Control {
    mechanism: &'static str,
    broken: Broken,
    nodes: usize,
    noticed: Noticed,
    scenario: for<'a> fn(&'a World, &'a mut Scene, &'a Proxy) -> Played<'a>,
}

type Played<'a> = BoxFuture<'a, anyhow::Result<()>>;

/// Where a mechanism is broken.
enum Broken {
    /// In the binary that is built for this, by this name.
    Binary(&'static str),
    /// In the database, by these statements.
    Database(&'static str),
    /// Both.
    Twice(&'static str, &'static str),
    /// By what the scenario does.
    Scenario,
}

/// Who must notice, and what: a complaint about something else shows nothing.
enum Noticed {
    /// The judge complains about one of these.
    ByJudge(&'static [Invariant]),
    /// What is played ends with an error that says so.
    ByTest(&'static str),
}

/// The functions that append do not look at the fence any more.
const NO_FENCE: &str = "do $do$
    declare
        look   record;
        before text;
        after  text;
    begin
        for look in select * from (values
            ('patter.append_events', 's.fence = entry_fences[e.entry]', 'true'),
            ('patter.append_events', 's.fence is distinct from r.fence', 's.session_id is null'),
            ('patter.append_events_singly', 'its_fence <> entry_fences[entry]', 'false')
        ) as looks (at_fence, as_it_is, as_if_none)
        loop
            before := pg_get_functiondef(look.at_fence::regproc);
            after := replace(before, look.as_it_is, look.as_if_none);
            assert before <> after;
            execute after;
        end loop;
    end $do$";

/// Nothing keeps an event from being stored twice.
const NO_DEDUPLICATION: &str = "
    drop index patter.session_events_message_key;
    drop index patter.session_events_response_key;
    drop index patter.session_events_tool_result_key;
    alter table patter.session_events drop constraint session_events_event_id_key;";

const CONTROLS: &[Control] = &[
    Control {
        mechanism: "the fence in each append",
        // A process that stops by itself never comes to the fence.
        broken: Broken::Twice("no-self-stop", NO_FENCE),
        nodes: 2,
        noticed: Noticed::ByJudge(&[Invariant::I1, Invariant::I5, Invariant::I7]),
        scenario: |world, scene, _| p04_one_owner::play(world, scene, 0).boxed(),
    },
    Control {
        mechanism: "stopping before the lease runs out",
        broken: Broken::Binary("no-self-stop"),
        nodes: 2,
        noticed: Noticed::ByJudge(&[Invariant::I8]),
        scenario: |world, scene, proxy| p04_one_owner::cut_off(world, scene, proxy, 0).boxed(),
    },
    Control {
        mechanism: "what is stored once",
        broken: Broken::Database(NO_DEDUPLICATION),
        nodes: 1,
        noticed: Noticed::ByJudge(&[Invariant::I4, Invariant::I5]),
        scenario: |world, scene, proxy| {
            p02_answered_once::cut_commits(world, scene, proxy, 0).boxed()
        },
    },
    Control {
        mechanism: "commit before acknowledgement",
        broken: Broken::Binary("ack-before-commit"),
        nodes: 1,
        noticed: Noticed::ByJudge(&[Invariant::I4]),
        scenario: |world, scene, _| killed_while_talking(world, scene).boxed(),
    },
    Control {
        mechanism: "cancelling the provider's stream",
        broken: Broken::Binary("cancel-keeps-stream"),
        nodes: 1,
        noticed: Noticed::ByTest("after the cancel"),
        scenario: |world, scene, _| p09_audience::cancels(world, scene).boxed(),
    },
    Control {
        mechanism: "the ledger of tool calls",
        broken: Broken::Binary("ledger-after-tool"),
        nodes: 1,
        noticed: Noticed::ByJudge(&[Invariant::I3]),
        scenario: |world, scene, _| killed_in_mid_tool(world, scene).boxed(),
    },
    Control {
        mechanism: "the sync of the spool",
        broken: Broken::Scenario,
        nodes: 1,
        noticed: Noticed::ByJudge(&[Invariant::I4]),
        scenario: |world, scene, proxy| killed_in_an_outage(world, scene, proxy).boxed(),
    },
    Control {
        mechanism: "the sweeper",
        broken: Broken::Binary("no-sweep"),
        nodes: 1,
        noticed: Noticed::ByTest("not finalized"),
        scenario: |world, scene, _| abandoned(world, scene).boxed(),
    },
    Control {
        mechanism: "the replay of every event",
        broken: Broken::Binary("replay-with-gap"),
        nodes: 1,
        noticed: Noticed::ByJudge(&[Invariant::I2]),
        scenario: |world, scene, _| come_later(world, scene).boxed(),
    },
];

pub(crate) async fn all(world: Arc<World>) -> Outcome {
    let binary = world
        .sabotage
        .clone()
        .context("PATTER_SABOTAGE_BIN must name the binary whose mechanisms can be broken")?;
    let mut figures = Figures::default();
    // Independent of each other, and mostly waiting.
    for pair in CONTROLS.chunks(2) {
        let noticed = pair.iter().map(|control| notice(&world, &binary, control));
        for noticed in join_all(noticed).await {
            println!("       {}", noticed?);
            figures.add("broken mechanisms noticed", 1);
        }
    }
    Ok(figures)
}

/// Plays the scenario without the mechanism; what was noticed.
async fn notice(world: &World, binary: &Path, control: &Control) -> anyhow::Result<String> {
    let mechanism = control.mechanism;
    let database = world.shared_cluster().await?;
    let proxy = Proxy::start(([127, 0, 0, 1], database.port()).into()).await?;
    let mut stage = Stage::new(world, Store::on(database).await?)
        .short_lease()
        .first_by_way_of(proxy.address().port());
    if let Broken::Binary(name) | Broken::Twice(name, _) = control.broken {
        stage = stage.broken(binary.to_owned(), name);
    }
    let mut scene = stage.start(control.nodes).await?;
    if let Broken::Database(sql) | Broken::Twice(_, sql) = control.broken {
        scene.execute(sql).await?;
    }
    let played = (control.scenario)(world, &mut scene, &proxy);
    let played = timeout(Duration::from_secs(40), played).await;
    let failed = match played {
        Ok(Ok(())) => scene.finalized(Duration::from_secs(15)).await.err(),
        Ok(Err(error)) => Some(error),
        Err(elapsed) => Some(elapsed.into()),
    };
    let failed = failed.map_or_else(String::new, |error| format!("{error:#}"));
    match control.noticed {
        Noticed::ByTest(says) if failed.contains(says) => {
            Ok(format!("without {mechanism}: {failed}"))
        }
        Noticed::ByTest(_) => bail!("nobody notices that {mechanism} is broken: {failed}"),
        Noticed::ByJudge(invariants) => {
            let mut complaints: Vec<Complaint> = scene.complaints(failed.is_empty()).await?;
            // What clients saw and sent is lost with a scenario that fails; the tables are not.
            let needs_clients = "and nobody sent it";
            complaints.retain(|it| {
                invariants.contains(&it.invariant) && !it.evidence.ends_with(needs_clients)
            });
            let Some(first) = complaints.first() else {
                bail!("the judge does not notice that {mechanism} is broken; {failed}");
            };
            let number = complaints.len();
            Ok(format!(
                "without {mechanism}: {number} complaints, such as {first}"
            ))
        }
    }
}

/// Clients talk, and the process is killed under them.
async fn killed_while_talking(world: &World, scene: &mut Scene) -> anyhow::Result<()> {
    let mut random = world.random(2_000);
    for round in 0..4 {
        let clients: Vec<Client> = (0..30)
            .map(|number| scene.client(&format!("control-{round}-{number}"), random.u64(..)))
            .collect();
        for message in 0..40 {
            for client in &clients {
                let id = format!("{}-{message}", client.session_id());
                client.say(&Script::new(id).tokens(1, 10_000)).await;
            }
            sleep(Duration::from_millis(10)).await;
        }
        scene.kill(0).await?;
        scene.nodes[0].start_again().await?;
        scene.leave(clients).await;
    }
    Ok(())
}

/// A process is killed when a client has just been told of a call whose result it has not, some times: the
/// moment is short.
async fn killed_in_mid_tool(world: &World, scene: &mut Scene) -> anyhow::Result<()> {
    let mut random = world.random(2_100);
    let patience = Duration::from_secs(15);
    for round in 0..3 {
        let clients: Vec<Client> = (0..10)
            .map(|number| scene.client(&format!("control-{round}-{number}"), random.u64(..)))
            .collect();
        for client in &clients {
            let id = format!("{}-a", client.session_id());
            client.say(&Script::new(id).tools(6).tokens(5, 50)).await;
        }
        let told = clients.iter().map(|client| {
            let told = client.until("an open call", patience, |view| {
                view.tool_calls > view.tool_results
            });
            told.boxed()
        });
        select_ok(told).await?;
        scene.kill(0).await?;
        scene.nodes[0].start_again().await?;
        try_join_all(clients.iter().map(|client| client.until_answered(patience))).await?;
        scene.leave(clients).await;
    }
    Ok(())
}

/// A process dies with its clients, and nobody comes back.
async fn abandoned(world: &World, scene: &mut Scene) -> anyhow::Result<()> {
    let mut random = world.random(2_200);
    let clients: Vec<Client> = (0..5)
        .map(|number| scene.client(&format!("control-{number}"), random.u64(..)))
        .collect();
    for client in &clients {
        let id = format!("{}-a", client.session_id());
        client.say(&Script::new(id)).await;
        client.until_answered(Duration::from_secs(15)).await?;
    }
    scene.kill(0).await?;
    for client in clients {
        let log = client.vanish().await;
        scene.logs.push(log);
    }
    scene.nodes[0].start_again().await?;
    Ok(())
}

/// Somebody comes when others have talked already.
async fn come_later(world: &World, scene: &mut Scene) -> anyhow::Result<()> {
    let mut random = world.random(2_400);
    let first: Vec<Client> = (0..5)
        .map(|number| scene.client(&format!("control-{number}"), random.u64(..)))
        .collect();
    let patience = Duration::from_secs(15);
    for client in &first {
        let id = format!("{}-a", client.session_id());
        client.say(&Script::new(id)).await;
        client.until_answered(patience).await?;
    }
    let later: Vec<Client> = first
        .iter()
        .map(|client| scene.client(client.session_id(), random.u64(..)))
        .collect();
    for client in &later {
        let id = format!("{}-b", client.session_id());
        client.say(&Script::new(id)).await;
        client.until_answered(patience).await?;
    }
    scene.leave(first).await;
    scene.leave(later).await;
    Ok(())
}

/// Messages are accepted while the database is away, and the process is killed.
async fn killed_in_an_outage(
    world: &World,
    scene: &mut Scene,
    proxy: &Proxy,
) -> anyhow::Result<()> {
    let mut random = world.random(2_300);
    let clients: Vec<Client> = (0..10)
        .map(|number| scene.client(&format!("control-{number}"), random.u64(..)))
        .collect();
    for client in &clients {
        let id = format!("{}-a", client.session_id());
        client.say(&Script::new(id)).await;
        client.until_answered(Duration::from_secs(15)).await?;
    }
    proxy.set(Mode::Refuse);
    proxy.reset_all();
    let patience = Duration::from_secs(10);
    for client in &clients {
        let id = format!("{}-b", client.session_id());
        client.say(&Script::new(id)).await;
    }
    for client in &clients {
        client
            .until("the acceptance", patience, |view| !view.accepted.is_empty())
            .await?;
    }
    scene.kill(0).await?;
    // They do not come back, so that nothing is sent again.
    for client in clients {
        let log = client.vanish().await;
        scene.logs.push(log);
    }
    // What was not synced is gone with a machine that loses its power; here all of it is.
    tokio::fs::remove_dir_all(scene.nodes[0].folder().join("data/spool")).await?;
    proxy.set(Mode::Pass);
    scene.nodes[0].start_again().await
}
