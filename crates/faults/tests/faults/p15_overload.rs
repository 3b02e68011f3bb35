//! P15: one session cannot starve others, and overload is refused instead of suffered.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::{join_all, try_join_all};
use patter_faults::client::Client;
use patter_faults::figures::percentile;
use patter_faults::moment::Moment;
use patter_faults::process;
use patter_faults::raw::{self, RawSocket, TEXT};
use patter_faults::script::Script;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Scene, Stage, Store};

/// Normal clients.
const NORMAL: usize = 40;

pub(crate) async fn a_flood(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).start(1).await?;
    let clients: Vec<Client> = (0..NORMAL)
        .map(|number| scene.client(&format!("p15-{number}"), number as u64))
        .collect();
    first_tokens(&clients, "warm", 2).await?;
    let without = first_tokens(&clients, "without", world.loops(6, 60)).await?;
    let without = percentile(&without, 99);
    let address = scene.nodes[0].address();
    let flood = async {
        let mut sent = 0_usize;
        let mut number = 0;
        loop {
            // Whoever is closed for it comes back and goes on.
            let Ok(mut socket) = RawSocket::upgraded(address, "p15-flood", None).await else {
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            loop {
                let mut frames = Vec::new();
                for _ in 0..100 {
                    number += 1;
                    let script = Script::new(format!("p15-flood-{number}"));
                    let message = serde_json::json!({"type": "user_message", "id": script.id,
                        "content": script.to_string()});
                    frames.extend(raw::frame(TEXT, message.to_string().as_bytes()));
                }
                if socket.send(&frames).await.is_err() {
                    break;
                }
                sent += 100;
                FLOODED.store(sent, std::sync::atomic::Ordering::Relaxed);
                // Ten thousand in a second.
                sleep(Duration::from_millis(10)).await;
            }
        }
    };
    let with = tokio::select! {
        with = first_tokens(&clients, "with", world.loops(6, 60)) => percentile(&with?, 99),
        () = flood => Duration::MAX,
    };
    // The flood is made on the same two cores that serve it.
    ensure!(
        with < without * 2 + Duration::from_millis(60),
        "the first token took {with:?} (p99) beside a flood, {without:?} without"
    );
    let flooded = FLOODED.load(std::sync::atomic::Ordering::Relaxed);
    scene.figures.add("messages of a flood", flooded);
    scene.leave(clients).await;
    scene.finalized(2 * SOON).await?;
    // What the flood sent is nobody's log: its session is left out of the verdict.
    let mut history = scene.history(true).await?;
    history
        .sessions
        .retain(|session| session.session_id != "p15-flood");
    history.asked.retain(|asked| {
        !asked
            .message
            .as_ref()
            .is_some_and(|id| id.starts_with("p15-flood"))
    });
    crate::scene::no_complaints(&patter_faults::verify::verify(&history))?;
    Ok(scene.figures)
}

static FLOODED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// From the message to its first token, for each client and turn.
async fn first_tokens(
    clients: &[Client],
    part: &str,
    turns: usize,
) -> anyhow::Result<Vec<Duration>> {
    let mut took = Vec::new();
    for turn in 0..turns {
        let said = clients
            .iter()
            .enumerate()
            .map(|(number, client)| async move {
                // Not all at once: nobody does that.
                sleep(Duration::from_millis(10 * number as u64)).await;
                let script = Script::new(format!("{}-{part}-{turn}", client.session_id()));
                let before = client.look(|view| view.tokens);
                let at = Moment::now();
                client.say(&script).await;
                client
                    .until("a token", SOON, |view| view.tokens > before)
                    .await?;
                let took = Moment::now().since(at);
                client.until_answered(SOON).await?;
                anyhow::Ok(took)
            });
        took.extend(try_join_all(said).await?);
    }
    Ok(took)
}

pub(crate) async fn too_many_connections(world: Arc<World>) -> Outcome {
    const PLACES: usize = 60;
    let store = Store::shared(&world).await?;
    let stage = Stage::new(&world, store);
    let stage = stage.set("PATTER_SERVER__MAX_CONNECTIONS", &PLACES.to_string());
    let mut scene = stage.start(1).await?;
    let address = scene.nodes[0].address();
    let clients: Vec<Client> = (0..PLACES - 5)
        .map(|number| scene.client(&format!("p15-place-{number}"), number as u64))
        .collect();
    let ready = clients
        .iter()
        .map(|client| client.until("a connection", SOON, |view| view.is_ready));
    try_join_all(ready).await?;
    let start = Instant::now();
    let tried = join_all((0..PLACES).map(|number| async move {
        let begin = Instant::now();
        let rest = format!("p15-surplus-{number}");
        let outcome = RawSocket::upgraded(address, &rest, None).await;
        (outcome, begin.elapsed())
    }))
    .await;
    let refused: Vec<Duration> = tried
        .iter()
        .filter(|(outcome, _)| outcome.is_err())
        .map(|(_, took)| *took)
        .collect();
    ensure!(
        refused.len() >= PLACES - 10,
        "only {} of {PLACES} connections too many were refused",
        refused.len()
    );
    let slowest = refused.iter().max().copied().unwrap_or_default();
    ensure!(
        slowest < Duration::from_millis(500),
        "a refusal took {slowest:?}, of {:?} in all",
        start.elapsed()
    );
    for client in &clients {
        client
            .say(&Script::new(format!("{}-a", client.session_id())))
            .await;
    }
    try_join_all(clients.iter().map(|client| client.until_answered(SOON))).await?;
    scene.figures.add("refused connections", refused.len());
    drop(tried);
    scene.leave(clients).await;
    scene.finalized(2 * SOON).await?;
    scene.verdict(true).await
}

pub(crate) async fn no_more_files(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).start(1).await?;
    let client = scene.client("p15-files", 1);
    client.say(&Script::new("p15-files-before")).await;
    client.until_answered(SOON).await?;
    let pid = scene.nodes[0].pid().unwrap();
    let used = process::usage(pid)?.files;
    limit_files(pid, used + 20).await?;
    let address = scene.nodes[0].address();
    let mut open = Vec::new();
    for _ in 0..100 {
        if let Ok(Ok(stream)) = timeout(Duration::from_secs(1), TcpStream::connect(address)).await {
            open.push(stream);
        }
    }
    // Nobody can be accepted now, and the process must not spin on that.
    let before = process::usage(pid)?.cpu_ticks();
    sleep(Duration::from_secs(3)).await;
    let ticks = process::usage(pid)?.cpu_ticks() - before;
    ensure!(
        ticks < 60,
        "{ticks} hundredths of a second of CPU in 3 s without files"
    );
    client.say(&Script::new("p15-files-between")).await;
    client.until_answered(2 * SOON).await?;
    drop(open);
    limit_files(pid, 4_096).await?;
    one_turn(&mut scene, "p15-files-after").await?;
    scene.figures.add("times without files", 1);
    scene.leave(vec![client]).await;
    scene.finalized(2 * SOON).await?;
    scene.verdict(true).await
}

async fn limit_files(pid: u32, most: usize) -> anyhow::Result<()> {
    let limited = Command::new("prlimit")
        .arg(format!("--pid={pid}"))
        .arg(format!("--nofile={most}:"))
        .status()
        .await?;
    ensure!(limited.success(), "prlimit failed");
    Ok(())
}

/// A fresh session completes one turn: the server is alive.
pub(crate) async fn one_turn(scene: &mut Scene, session: &str) -> anyhow::Result<()> {
    let client = scene.client(session, 3);
    client.say(&Script::new(format!("{session}-a"))).await;
    client.until_answered(SOON).await?;
    scene.leave(vec![client]).await;
    Ok(())
}
