//! P22: the disk may fill up. With no room in the spool a message is refused with `store_unavailable`
//! and never acknowledged; when there is room again it is taken.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures_util::future::try_join_all;
use patter_faults::client::Client;
use patter_faults::cluster::Cluster;
use patter_faults::proxy::{Mode, Proxy};
use patter_faults::script::Script;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::sleep;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Stage, Store};

/// A file system of its own, so small that it is soon full. Needs root.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    async fn mount() -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("patter-faults-disk-")?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder.path())
            .status()
            .await?;
        ensure!(mounted.success(), "a file system of 1 MiB needs root");
        Ok(Self { folder })
    }

    fn fill(&self) -> anyhow::Result<()> {
        let file = self.folder.path().join("filler");
        let mut bytes = 1 << 20;
        let mut filler = std::fs::File::create(file)?;
        while bytes > 0 {
            match std::io::Write::write(&mut filler, &vec![0; bytes]) {
                Ok(_) => {}
                Err(_) => bytes /= 2,
            }
        }
        Ok(())
    }

    fn make_room(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.folder.path().join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What stays mounted is seen by whoever looks; a test has its verdict by then.
        let _unmounted = std::process::Command::new("umount")
            .arg("--lazy")
            .arg(self.folder.path())
            .status();
    }
}

pub(crate) async fn no_room(world: Arc<World>) -> Outcome {
    let cluster = Cluster::start().await?;
    let proxy = Proxy::start(([127, 0, 0, 1], cluster.port()).into()).await?;
    let disk = SmallDisk::mount().await?;
    let spool = disk.folder.path().join("spool");
    let store = Store::on(&cluster).await?;
    let store = store.by_way_of(proxy.address().port(), "");
    let stage = Stage::new(&world, store).set("PATTER_STORE__SPOOL", spool.to_str().unwrap());
    let mut scene = stage.start(1).await?;
    let clients: Vec<Client> = (0..10)
        .map(|number| scene.client(&format!("p22-{number}"), number))
        .collect();
    for client in &clients {
        client
            .say(&Script::new(format!("{}-a", client.session_id())))
            .await;
    }
    try_join_all(clients.iter().map(|client| client.until_answered(SOON))).await?;
    disk.fill()?;
    proxy.reset_all();
    proxy.set(Mode::Refuse);
    sleep(Duration::from_millis(300)).await;
    // The first one finds out that the database is away, and waits for either of the two; the next one is
    // refused.
    for part in ["b", "c"] {
        for client in &clients {
            let id = format!("{}-{part}", client.session_id());
            client.say(&Script::new(id)).await;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let refused = clients.iter().map(|client| {
        client.until("a refusal", SOON, |view| {
            view.errors.iter().any(|code| code == "store_unavailable")
        })
    });
    try_join_all(refused).await?;
    for client in &clients {
        client.look(|view| {
            ensure!(
                view.accepted.is_empty() && view.unacknowledged.len() == 2,
                "session {}: a message was accepted without room for it: {}",
                client.session_id(),
                view.describe()
            );
            Ok(())
        })?;
    }
    // With room for it it is accepted, though the database is still away; then it comes back.
    disk.make_room()?;
    let accepted = clients
        .iter()
        .map(|client| client.until("the acceptance", SOON, |view| !view.accepted.is_empty()));
    try_join_all(accepted).await?;
    scene.disturb();
    proxy.set(Mode::Pass);
    try_join_all(clients.iter().map(|client| client.until_answered(2 * SOON))).await?;
    scene.figures.add("full disks", 1);
    scene.leave(clients).await;
    scene.finalized(2 * SOON).await?;
    scene.verdict(true).await
}
