//! What servers stand on: a database, a provider, a folder; and a server that stands there.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use patter_faults::cluster::{Cluster, free_port};
use tokio::process::Command;
use tokio::time::timeout;

use crate::figures::Figures;
use crate::process::Process;
use crate::scenario::Scenario;
use crate::server::{Programs, Server};

/// Longest wait for a scenario to be played: far more than it takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// What servers stand on.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The programs.
    pub programs: &'a Programs,
    /// The cluster in which each gets a database.
    cluster: Cluster,
    /// The folder for what they write.
    pub work: &'a Path,
    upstream: Process,
    direct: SocketAddr,
}

/// A server that listens.
#[derive(Debug)]
pub struct Standing {
    address: SocketAddr,
    pid: u32,
    upstream_pid: u32,
    /// `None` where the provider itself is it.
    process: Option<Process>,
}

impl<'a> Ground<'a> {
    /// Starts `PostgreSQL` and the fake provider.
    ///
    /// # Errors
    ///
    /// If one does not start.
    pub async fn prepare(programs: &'a Programs, work: &'a Path) -> anyhow::Result<Self> {
        let (port, direct_port) = (free_port()?, free_port()?);
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("upstream");
        command.args(["--port", &port.to_string()]);
        command.args(["--direct-port", &direct_port.to_string()]);
        Ok(Self {
            programs,
            cluster: Cluster::start().await?,
            work,
            upstream: Process::start(command, port, work).await?,
            direct: (Ipv4Addr::LOCALHOST, direct_port).into(),
        })
    }

    /// Makes a database, and gives its URL.
    ///
    /// # Errors
    ///
    /// If the cluster does not.
    pub async fn database(&self) -> anyhow::Result<String> {
        let name = format!("bench_{}", free_port()?);
        self.cluster.create_database(&name).await?;
        Ok(self.cluster.url(&name))
    }

    /// Starts a server, on a database of its own where `settings` do not name one.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub async fn start(
        &self,
        server: Server,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Standing> {
        let upstream_pid = self.upstream.pid()?;
        if server == Server::Direct {
            return Ok(Standing {
                address: self.direct,
                pid: upstream_pid,
                upstream_pid,
                process: None,
            });
        }
        let port = free_port()?;
        let provider = format!("http://{}", self.upstream.address());
        let is_gemini = server == Server::PatterGemini;
        let mut command = server.command(self.programs)?;
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("OPENAI_API_KEY", "none-is-needed")
            .env("OPENAI_BASE_URL", format!("{provider}/v1"))
            .env("GEMINI_API_KEY", "none-is-needed")
            .env("GEMINI_BASE_URL", provider)
            .env(
                "PATTER_LLM__PROVIDER",
                if is_gemini { "gemini" } else { "openai" },
            )
            .envs(server.settings().iter().copied());
        if server.has_postgres() {
            command.env("DATABASE_URL", self.database().await?);
        }
        command.envs(settings.iter().copied());
        let process = Process::start(command, port, self.work).await?;
        Ok(Standing {
            address: process.address(),
            pid: process.pid()?,
            upstream_pid,
            process: Some(process),
        })
    }
}

impl Standing {
    /// From its start to when it listened.
    #[must_use]
    pub fn started_in(&self) -> Duration {
        self.process
            .as_ref()
            .map(Process::started_in)
            .unwrap_or_default()
    }

    /// Plays a scenario with so many users, in a process of its own.
    ///
    /// # Errors
    ///
    /// If the server does not do what it should.
    pub async fn load(
        &self,
        scenario: Scenario,
        users: u32,
        seconds: f64,
        session: Option<&str>,
    ) -> anyhow::Result<Figures> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("load").arg(scenario.play().to_string());
        for (option, value) in [
            ("--server", self.address.to_string()),
            ("--server-pid", self.pid.to_string()),
            ("--upstream-pid", self.upstream_pid.to_string()),
            ("--users", users.to_string()),
            ("--tokens", scenario.tokens().to_string()),
            ("--rate", scenario.rate().to_string()),
            ("--seconds", seconds.to_string()),
        ] {
            command.args([option, &value]);
        }
        if let Some(session) = session {
            command.args(["--session", session]);
        }
        let playing = command.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = timeout(PATIENCE, playing)
            .await
            .with_context(|| format!("the load does not end within {PATIENCE:?}"))??;
        ensure!(
            output.status.success(),
            "the load ends: {}; the server said: {}",
            String::from_utf8_lossy(&output.stderr).trim(),
            self.process.as_ref().map(Process::said).unwrap_or_default()
        );
        serde_json::from_slice(&output.stdout).context("the load tells no figures")
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// If it does not end.
    pub async fn stop(self) -> anyhow::Result<()> {
        match self.process {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }
}
