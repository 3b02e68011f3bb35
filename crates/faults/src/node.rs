//! One process of patter, as a supervisor keeps it: in a folder of its own that outlives it (the
//! spool is there), on a port that stays the same, with settings that stay the same.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::cluster::free_port;
use crate::moment::Moment;
use crate::{process, raw};

/// Longest wait for a process to be ready or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that can be killed, paused and started again. Dropped, it is killed.
#[derive(Debug)]
pub struct Node {
    binary: PathBuf,
    variables: Vec<(String, String)>,
    address: SocketAddr,
    folder: TempDir,
    child: Option<Child>,
    is_paused: bool,
}

impl Node {
    /// Makes the folder and chooses the port, and starts nothing yet.
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn prepare(binary: &Path, variables: &[(String, String)]) -> anyhow::Result<Self> {
        let port = free_port()?;
        Ok(Self {
            binary: binary.to_owned(),
            variables: variables.to_vec(),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            folder: TempDir::with_prefix("patter-faults-node-")?,
            child: None,
            is_paused: false,
        })
    }

    /// Starts the process on the folder, the port and the settings it had, and waits until it is
    /// ready.
    ///
    /// # Errors
    ///
    /// If it is not; the error holds its log.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.spawn()?;
        self.ready(PATIENCE).await
    }

    /// Starts the process and does not wait.
    ///
    /// # Errors
    ///
    /// If there is no such program.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let child = Command::new(&self.binary)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOST", "127.0.0.1")
            .env("PORT", self.address.port().to_string())
            .env("RUST_LOG", "warn")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start `{}`", self.binary.display()))?;
        self.child = Some(child);
        self.is_paused = false;
        Ok(())
    }

    /// Waits until `/health/ready` says yes.
    ///
    /// # Errors
    ///
    /// If it does not in time, or the process ends.
    pub async fn ready(&mut self, patience: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            if let Ok(answer) = self.get("/health/ready").await
                && answer.status == 200
            {
                return Ok(());
            }
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || Instant::now() > deadline {
                bail!("the server is not ready ({ended:?}): {}", self.log());
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks for a path.
    ///
    /// # Errors
    ///
    /// If there is no answer within two seconds.
    pub async fn get(&self, path: &str) -> anyhow::Result<raw::Answer> {
        timeout(Duration::from_secs(2), raw::get(self.address, path)).await?
    }

    /// How many events it keeps on its disk since it could not store them; none where it does not run, or has nowhere
    /// to keep them.
    ///
    /// # Errors
    ///
    /// If it runs and does not tell.
    pub async fn events_on_disk(&self) -> anyhow::Result<u64> {
        if self.pid().is_none() || self.is_paused {
            return Ok(0);
        }
        let answer = match self.get("/metrics").await {
            // It has ended by itself, or does not listen yet.
            Err(error) if is_refused(&error) => return Ok(0),
            answer => answer?,
        };
        ensure!(answer.status == 200, "`/metrics` answers {}", answer.status);
        let mut lines = answer.body.lines();
        let kept = lines.find_map(|line| line.strip_prefix("patter_spool_events "));
        Ok(kept.map_or(Ok(0), |kept| kept.trim().parse())?)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process, while there is one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// The folder that outlives the process.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(old, _)| old != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Kills the process, and returns when it is gone, with the moment of its death.
    ///
    /// # Errors
    ///
    /// If it does not die.
    pub async fn kill(&mut self) -> anyhow::Result<Moment> {
        let at = Moment::now();
        if let Some(mut child) = self.child.take() {
            child.start_kill()?;
            child.wait().await?;
        }
        Ok(at)
    }

    /// Stops the process where it stands.
    pub fn pause(&mut self) -> Moment {
        self.signal(Signal::STOP);
        self.is_paused = true;
        Moment::now()
    }

    /// Lets a paused process go on.
    pub fn resume(&mut self) -> Moment {
        self.signal(Signal::CONT);
        self.is_paused = false;
        Moment::now()
    }

    /// Asks the process to end in good order.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits for the process to end.
    ///
    /// # Errors
    ///
    /// If it does not in time, and then it is killed.
    pub async fn ended(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let mut child = self.child.take().context("the process has ended before")?;
        match timeout(patience, child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_elapsed) => {
                child.start_kill()?;
                child.wait().await?;
                bail!(
                    "the process does not end within {patience:?}: {}",
                    self.log()
                )
            }
        }
    }

    /// What the process has logged, all its lives together; of a long log the end.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            process::signal(pid, signal);
        }
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("patter.log")
    }
}

fn is_refused(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
