//! A `PostgreSQL` server of our own for one run: its data in a temporary folder, on a free port of
//! 127.0.0.1, without a password and without `fsync`. It stops, and its folder goes, on drop.
//!
//! The server refuses to run as root; root starts it as `postgres` or `nobody`. It stays in our
//! process group, so that an interrupt from the terminal (Ctrl-C) stops it too.

use std::{
    fs::{self, DirBuilder},
    io::{self, BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    os::unix::{
        fs::{DirBuilderExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, bail};

use crate::{postgres::binaries::Binaries, process};

/// How long the server may take to come up.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// What the server logs when it takes connections.
const READY: &str = "database system is ready to accept connections";

/// A running server; dropping it stops it and removes its data.
#[derive(Debug)]
pub(crate) struct ThrowAway {
    url: String,
    server: Child,
    /// Reads the server's log to its end, so that the server never waits for a full pipe.
    log_reader: Option<JoinHandle<()>>,
    home: Home,
}

impl ThrowAway {
    /// Makes a new database cluster and starts a server on it.
    ///
    /// # Errors
    ///
    /// When the folder, the cluster or the server cannot be had; the error holds the server's log.
    pub(super) fn start(binaries: Binaries) -> anyhow::Result<Self> {
        let home = Home::create(binaries)?;
        home.initialize()?;
        let port = free_port()?;
        let mut server = home.spawn_server(port)?;
        let stderr = server
            .stderr
            .take()
            .context("the server's log is not connected")?;
        let (started, log_reader) = read_log(stderr);
        let server = Self {
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            server,
            log_reader: Some(log_reader),
            home,
        };
        // From here on a failure stops what was started: `server` is dropped.
        wait_until_ready(&started)?;
        Ok(server)
    }

    /// The URL of its first database, as its administrator.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        if self.home.stop_server().is_err() {
            // Nothing more can be done about a server that neither stops nor dies.
            drop(self.server.kill());
        }
        drop(self.server.wait());
        if let Some(reader) = self.log_reader.take() {
            drop(reader.join());
        }
    }
}

/// The folder of a server, and how to run the server's programs on it. Removed on drop.
#[derive(Debug)]
struct Home {
    folder: PathBuf,
    binaries: Binaries,
    account: Option<Account>,
}

impl Home {
    fn create(binaries: Binaries) -> anyhow::Result<Self> {
        let account = if process::is_root() {
            Some(Account::unprivileged()?)
        } else {
            None
        };
        let folder = std::env::temp_dir().join(format!("patter-postgres-{}", std::process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("could not create `{}`", folder.display()))?;
        let home = Self {
            folder,
            binaries,
            account,
        };
        if let Some(Account { user, group }) = home.account {
            chown(&home.folder, Some(user), Some(group))
                .with_context(|| format!("could not give away `{}`", home.folder.display()))?;
        }
        Ok(home)
    }

    fn initialize(&self) -> anyhow::Result<()> {
        let mut initdb = self.command("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8"]);
        initdb.args(["--no-locale", "--no-sync"]);
        process::output_of(&mut initdb).map(drop)
    }

    fn spawn_server(&self, port: u16) -> anyhow::Result<Child> {
        let mut postgres = self.command("postgres");
        let port = format!("port={port}");
        for setting in [
            port.as_str(),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            // Nothing here has to survive a crash.
            "fsync=off",
            "full_page_writes=off",
            "synchronous_commit=off",
        ] {
            postgres.args(["-c", setting]);
        }
        postgres
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("could not start a throw-away PostgreSQL server")
    }

    fn stop_server(&self) -> anyhow::Result<()> {
        process::output_of(self.command("pg_ctl").args(["stop", "--mode=immediate"])).map(drop)
    }

    /// A program of the server, on this folder's data, as somebody it is willing to run as.
    fn command(&self, program: &str) -> Command {
        let mut command = self.binaries.command(program);
        command
            .arg("-D")
            .arg(self.folder.join("data"))
            .current_dir(&self.folder);
        if let Some(account) = self.account {
            command.gid(account.group).uid(account.user);
        }
        command
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            println!("could not remove `{}`: {error}", self.folder.display());
        }
    }
}

/// The numbers of a user and its group.
#[derive(Clone, Copy, Debug)]
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// The user for whom a package made the server, else the one who owns nothing.
    fn unprivileged() -> anyhow::Result<Self> {
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Self::of(name).ok())
            .context("PostgreSQL does not run as root, and no user `postgres` or `nobody` exists")
    }

    fn of(name: &str) -> anyhow::Result<Self> {
        let id = |what| process::output_of(Command::new("id").args([what, name]));
        Ok(Self {
            user: id("-u")?.parse()?,
            group: id("-g")?.parse()?,
        })
    }
}

/// A port that was free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// Reads the log in a thread of its own, and tells once whether the server came up: else its log.
fn read_log(log: ChildStderr) -> (Receiver<Result<(), String>>, JoinHandle<()>) {
    let (sender, started) = mpsc::sync_channel(1);
    let reader = std::thread::spawn(move || {
        let mut log = BufReader::new(log);
        let outcome = read_until_ready(&mut log);
        // Nobody listens any more where the deadline has passed.
        drop(sender.send(outcome));
        drop(io::copy(&mut log, &mut io::sink()));
    });
    (started, reader)
}

/// Reads lines up to the one that says that the server is ready; all of them, if none does.
fn read_until_ready(log: &mut impl BufRead) -> Result<(), String> {
    let mut said = String::new();
    for line in log.lines().map_while(Result::ok) {
        if line.contains(READY) {
            return Ok(());
        }
        said.push('\n');
        said.push_str(&line);
    }
    Err(said)
}

fn wait_until_ready(started: &Receiver<Result<(), String>>) -> anyhow::Result<()> {
    match started.recv_timeout(START_DEADLINE) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(log)) => bail!("a throw-away PostgreSQL server did not start; its log:{log}"),
        Err(_) => bail!(
            "a throw-away PostgreSQL server was not ready after {} s",
            START_DEADLINE.as_secs()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_ends_before_it_is_ready_is_an_error_with_its_log() {
        let mut log = "LOG:  starting\nFATAL:  no room\n".as_bytes();
        assert_eq!(
            read_until_ready(&mut log).unwrap_err(),
            "\nLOG:  starting\nFATAL:  no room"
        );
    }

    #[test]
    fn the_log_is_read_up_to_the_line_that_says_ready() {
        let text = format!("LOG:  starting\nLOG:  {READY}\nLOG:  later\n");
        let mut log = text.as_bytes();
        read_until_ready(&mut log).unwrap();
        assert_eq!(log, b"LOG:  later\n");
    }
}
