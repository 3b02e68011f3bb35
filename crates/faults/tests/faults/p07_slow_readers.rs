//! P7: a reader that does not read never delays another one, and costs a bounded amount of memory. It is
//! closed (4413), and complete when it comes back.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::figures::percentile;
use patter_faults::moment::Moment;
use patter_faults::process;
use patter_faults::raw::RawSocket;
use patter_faults::script::Script;
use tokio::time::{Instant, sleep};

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Scene, Stage, Store};

/// Sessions that somebody watches who does not read.
const SESSIONS: usize = 5;
/// Of them, in each session.
const SLOW: usize = 40;
/// Pieces of an answer in a second.
const RATE: u32 = 40;
/// Bytes of a piece: what waits for a slow reader is soon a lot.
const WIDTH: usize = 8_192;
/// What each may cost, with a part of what the answers cost that they do not read.
const MOST_KIB: u64 = 512;

pub(crate) async fn slow_readers(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let stage = Stage::new(&world, store).set("PATTER_SESSION__MAX_READERS", "60");
    let mut scene = stage.start(1).await?;
    let pid = scene.nodes[0].pid().unwrap();
    let seconds = world.loops(15, 3_600);

    let without = delays(&mut scene, "without", 6).await?;
    let clients = sessions(&scene, "with");
    try_join_all(
        clients
            .iter()
            .map(|client| client.until("a connection", SOON, |view| view.is_ready)),
    )
    .await?;
    let before = process::usage(pid)?;
    let mut slow = Vec::new();
    for client in &clients {
        for _ in 0..SLOW {
            let address = scene.nodes[0].address();
            slow.push(RawSocket::upgraded(address, client.session_id(), Some(4_096)).await?);
        }
    }
    let start = Instant::now();
    let mut most = before;
    let mut part = 0;
    let mut with = Vec::new();
    while start.elapsed() < Duration::from_secs(seconds as u64) {
        with.extend(round(&clients, &format!("with-{part}"), 3).await?);
        part += 1;
        let now = process::usage(pid)?;
        if now.resident_kib > most.resident_kib {
            most = now;
        }
    }
    let growth = most.resident_kib - before.resident_kib;
    let readers = (SESSIONS * SLOW) as u64;
    ensure!(
        growth < readers * MOST_KIB,
        "{readers} slow readers cost {growth} KiB"
    );
    let (without, with) = (percentile(&without, 99), percentile(&with, 99));
    ensure!(
        with < without.mul_f64(1.1) + Duration::from_millis(50),
        "tokens were late by {with:?} (p99) with slow readers, by {without:?} without"
    );
    // All that has fit into buffers is still to be had; then the code, or the end where the buffers had
    // no room for it. One that was still served now would never come to an end.
    let (mut told, mut untold) = (0, 0);
    for socket in &mut slow {
        match socket.close_code(Duration::from_secs(10)).await? {
            Some(4413) => told += 1,
            Some(code) => bail!("a slow reader was closed by {code}"),
            None => untold += 1,
        }
    }
    ensure!(told > 0, "no slow reader was told why it was closed");
    scene.figures.add("slow readers told 4413", told);
    scene
        .figures
        .add("slow readers cut off without room for a code", untold);
    drop(slow);
    scene.figures.add("slow readers", SESSIONS * SLOW);
    scene
        .figures
        .add("KiB for slow readers", usize::try_from(growth)?);
    scene.leave(clients).await;
    scene.finalized(SOON).await?;
    scene.verdict(true).await
}

fn sessions(scene: &Scene, name: &str) -> Vec<Client> {
    (0..SESSIONS)
        .map(|number| scene.client(&format!("p07-{name}-{number}"), number as u64))
        .collect()
}

async fn delays(scene: &mut Scene, name: &str, seconds: usize) -> anyhow::Result<Vec<Duration>> {
    let clients = sessions(scene, name);
    let delays = round(&clients, name, seconds).await?;
    scene.leave(clients).await;
    Ok(delays)
}

/// One answer for each; by how much each piece was later than the rate has it.
async fn round(clients: &[Client], part: &str, seconds: usize) -> anyhow::Result<Vec<Duration>> {
    let tokens = seconds * RATE as usize;
    let said = clients.iter().map(|client| async move {
        let id = format!("{}-{part}", client.session_id());
        client
            .say(&Script::new(&id).tokens(tokens, RATE).wide(WIDTH))
            .await;
        client.until_answered(2 * SOON).await?;
        anyhow::Ok(lateness(client))
    });
    let delays = try_join_all(said).await?.concat();
    // Timers and sockets come to rest.
    sleep(Duration::from_millis(50)).await;
    Ok(delays)
}

/// How late the pieces of the last answer were, measured from the earliest one.
fn lateness(client: &Client) -> Vec<Duration> {
    client.look(|view| {
        let frames: Vec<_> = view
            .log
            .connections
            .iter()
            .flat_map(|it| &it.frames)
            .collect();
        let begin = frames
            .iter()
            .rposition(|it| it.frame["type"] == "response_started")
            .unwrap_or_default();
        let times: Vec<Moment> = frames[begin..]
            .iter()
            .filter(|it| it.frame["type"] == "token")
            .map(|it| it.at)
            .collect();
        times
            .iter()
            .enumerate()
            .map(|(index, at)| {
                let due = Duration::from_secs_f64(index as f64 / f64::from(RATE));
                at.since(times[0]).saturating_sub(due)
            })
            .collect()
    })
}
