//! `PgBouncer` in transaction mode in front of a cluster: one server connection serves many clients,
//! each for one transaction at a time.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::cluster::{self, account, as_account, free_port};

/// Longest wait for it to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `PgBouncer`; killed when dropped.
#[derive(Debug)]
pub struct Bouncer {
    port: u16,
    _child: Child,
    _home: TempDir,
}

impl Bouncer {
    /// Starts one in front of the server on this port, with so many connections to it.
    ///
    /// # Errors
    ///
    /// If it is not installed or does not come up.
    pub async fn start(server_port: u16, server_connections: u32) -> anyhow::Result<Self> {
        let home = TempDir::with_prefix("patter-faults-pgbouncer-")?;
        let port = free_port()?;
        let file = home.path().join("pgbouncer.ini");
        fs::write(
            &file,
            format!(
                "[databases]\n* = host=127.0.0.1 port={server_port} user=postgres\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
                 unix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
                 default_pool_size = {server_connections}\nmax_client_conn = 500\n\
                 ignore_startup_parameters = extra_float_digits,options\n"
            ),
        )?;
        if let Some((user, group)) = account() {
            chown(home.path(), Some(user), Some(group))?;
            chown(&file, Some(user), Some(group))?;
        }
        let program = ["/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer"]
            .into_iter()
            .find(|path| fs::exists(path).unwrap_or_default())
            .unwrap_or("pgbouncer");
        let mut command = Command::new(program);
        command
            .arg("-q")
            .arg(&file)
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        as_account(&mut command);
        let mut child = command
            .spawn()
            .context("PgBouncer does not start: `apt-get install pgbouncer`")?;
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("PgBouncer ended: {status}");
            }
            if Instant::now() > deadline {
                bail!("PgBouncer does not listen");
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self {
            port,
            _child: child,
            _home: home,
        })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database through it, with what says that it is a pooler.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("{}&pgbouncer=true", cluster::url(self.port, database))
    }
}
