//! A `PostgreSQL` cluster of our own that keeps what it says it keeps (`fsync` on) and that can be
//! killed, paused and started again on the same data and port.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::process;

/// Longest wait for the server to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where distributions keep the programs, but for the version.
const VERSIONED: &str = "/usr/lib/postgresql";

/// A cluster. Dropped, it is killed and its data removed.
#[derive(Debug)]
pub struct Cluster {
    home: TempDir,
    programs: PathBuf,
    port: u16,
    postmaster: Option<Child>,
}

impl Cluster {
    /// Makes a cluster and starts a server on it.
    ///
    /// # Errors
    ///
    /// If there are no programs, or they fail.
    pub async fn start() -> anyhow::Result<Self> {
        let home = TempDir::with_prefix("patter-faults-postgres-")?;
        let programs = programs()?;
        if let Some((user, group)) = account() {
            chown(home.path(), Some(user), Some(group))?;
        }
        DirBuilder::new()
            .mode(0o700)
            .create(home.path().join("log"))?;
        if let Some((user, group)) = account() {
            chown(home.path().join("log"), Some(user), Some(group))?;
        }
        let mut cluster = Self {
            home,
            programs,
            port: free_port()?,
            postmaster: None,
        };
        let made = cluster
            .command("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .args(["--no-locale", "--no-sync"])
            .output()
            .await?;
        ensure!(
            made.status.success(),
            "initdb failed: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        cluster.start_server().await?;
        Ok(cluster)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database, straight to the server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(self.port, database)
    }

    /// Makes a database.
    ///
    /// # Errors
    ///
    /// If the server does not.
    pub async fn create_database(&self, name: &str) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}")))
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(())
    }

    /// Kills the postmaster as a power cut would, and waits until the last of its processes is gone.
    ///
    /// # Errors
    ///
    /// If one stays.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let processes = self.processes();
        if let Some(mut postmaster) = self.postmaster.take() {
            postmaster.start_kill()?;
            postmaster.wait().await?;
        }
        // Those that the postmaster leaves behind notice, and end; a stopped one would not.
        for pid in &processes {
            process::signal(*pid, Signal::CONT);
        }
        process::wait_until_gone(&processes, PATIENCE).await
    }

    /// Stops the server in good order: clients are cut off, what was committed is flushed.
    ///
    /// # Errors
    ///
    /// If it does not end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut postmaster) = self.postmaster.take() else {
            return Ok(());
        };
        if let Some(pid) = postmaster.id() {
            process::signal(pid, Signal::INT);
        }
        timeout(PATIENCE, postmaster.wait()).await??;
        Ok(())
    }

    /// Stops every process of the server where it stands: it accepts, and never answers.
    pub fn pause(&self) {
        for pid in self.processes() {
            process::signal(pid, Signal::STOP);
        }
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        for pid in self.processes() {
            process::signal(pid, Signal::CONT);
        }
    }

    /// Starts the server on the data that is there, and waits until it takes connections.
    ///
    /// # Errors
    ///
    /// If it does not come up; the error holds its log.
    pub async fn start_server(&mut self) -> anyhow::Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let mut command = self.command("postgres");
        let port = format!("port={}", self.port);
        for setting in [
            port.as_str(),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=64MB",
            // What it says is stored survives a kill.
            "fsync=on",
            "synchronous_commit=on",
            "full_page_writes=on",
            "log_min_messages=warning",
        ] {
            command.args(["-c", setting]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("could not start PostgreSQL")?;
        self.postmaster = Some(child);
        let deadline = Instant::now() + PATIENCE;
        let url = self.url("postgres");
        loop {
            if let Ok(Ok(connection)) =
                timeout(Duration::from_secs(2), PgConnection::connect(&url)).await
            {
                connection.close().await?;
                return Ok(());
            }
            let ended = self
                .postmaster
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || Instant::now() > deadline {
                bail!("PostgreSQL does not come up ({ended:?}): {}", self.log());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The postmaster, then its children; none while the server is down.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let Some(pid) = self.postmaster.as_ref().and_then(Child::id) else {
            return Vec::new();
        };
        let mut processes = vec![pid];
        processes.extend(process::children_of(pid));
        processes
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("log/postgres.log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .arg("-D")
            .arg(self.home.path().join("data"))
            .current_dir(self.home.path())
            .kill_on_drop(true);
        as_account(&mut command);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its children end with it.
        for pid in self.processes() {
            process::signal(pid, Signal::KILL);
        }
    }
}

/// The URL of a database on a port of 127.0.0.1.
#[must_use]
pub fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}?sslmode=disable")
}

/// Makes a command run as somebody that `PostgreSQL` and `PgBouncer` are willing to run as.
pub fn as_account(command: &mut Command) {
    if let Some((user, group)) = account() {
        command.uid(user).gid(group);
    }
}

/// User and group of `postgres` where this process is root; else it runs as who we are.
pub(crate) fn account() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .or_else(|| users.lines().find(|line| line.starts_with("nobody:")))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// The folder with `initdb` and `postgres`: on `PATH`, else the newest version that is installed.
fn programs() -> anyhow::Result<PathBuf> {
    let on_path = std::env::var_os("PATH").and_then(|paths| {
        std::env::split_paths(&paths).find(|folder| folder.join("initdb").exists())
    });
    let versions = fs::read_dir(VERSIONED).into_iter().flatten();
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .map(|version| Path::new(VERSIONED).join(version.to_string()).join("bin"));
    on_path
        .or(newest)
        .context("PostgreSQL is not installed: `apt-get install postgresql`")
}

/// Ports from here on are given; below those that the system gives (from 32768 on), so that nobody
/// gets one between now and its use, nor while a process is down that is to come back to it.
const FIRST_PORT: u16 = 16_000;
const PORTS: u16 = 16_000;

/// A port that is free, and is not given again soon.
///
/// # Errors
///
/// If none is free.
pub fn free_port() -> anyhow::Result<u16> {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(fastrand::u16(..PORTS)));
    for _ in 0..PORTS {
        let port = FIRST_PORT + NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free from {FIRST_PORT} on");
}
