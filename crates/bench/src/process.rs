//! A process of the benchmark: started in a folder of its own, found when it listens, killed when dropped.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// Longest wait for a server to listen.
const PATIENCE: Duration = Duration::from_secs(30);
/// It is looked so often.
const LOOK: Duration = Duration::from_micros(500);

/// A server that listens.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
    started_in: Duration,
}

impl Process {
    /// Starts the command in a folder below `work`, and waits until it listens on the port of this
    /// machine that it was told to.
    ///
    /// # Errors
    ///
    /// If it does not; the error holds what it said.
    pub async fn start(mut command: Command, port: u16, work: &Path) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix_in("process-", work)?;
        let said = File::create(log_in(folder.path()))?;
        let began = Instant::now();
        let child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {:?}", command.as_std().get_program()))?;
        let mut process = Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            folder,
            started_in: Duration::ZERO,
        };
        while TcpStream::connect(process.address).await.is_err() {
            if process.child.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                bail!("the server does not listen: {}", process.said());
            }
            sleep(LOOK).await;
        }
        process.started_in = began.elapsed();
        Ok(process)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its number.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the process has ended")
    }

    /// From its start to when it listened.
    #[must_use]
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// The end of what it has said.
    #[must_use]
    pub fn said(&self) -> String {
        let said = fs::read_to_string(log_in(self.folder.path())).unwrap_or_default();
        let lines: Vec<&str> = said.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Ends it, and waits until it is gone: it takes nothing from the next one.
    ///
    /// # Errors
    ///
    /// If it does not end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}

fn log_in(folder: &Path) -> PathBuf {
    folder.join("process.log")
}
