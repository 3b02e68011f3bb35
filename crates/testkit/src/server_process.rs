//! The real binary, started as a user would start it: in a folder of its own, on a free port, with
//! an environment that holds what the test gives it and nothing else.
//!
//! Whatever a test is about, a secret in that environment may not be in what the process logs or prints:
//! each test that runs the binary is a test of that too.

use std::fs::{self, File};
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Longest wait for the process to start or to end, after which the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A test has no load balancer that must notice first.
const NO_DELAY: (&str, &str) = ("PATTER_SERVER__DRAIN_DELAY", "0");

/// A running server; it is killed when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    address: String,
    directory: TempDir,
    secrets: Vec<String>,
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // A test that fails has its own story.
        if !std::thread::panicking() {
            check_for_secrets(&self.secrets, &self.log());
        }
    }
}

impl ServerProcess {
    /// Starts the binary and waits until it says where it listens.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn start(binary: impl AsRef<Path>, variables: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let log = File::create(directory.path().join(LOG)).unwrap();
        let mut child = command(binary, directory.path(), &[NO_DELAY])
            .envs(variables.iter().copied())
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Nobody reads on from here, and a server must not mind.
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
        let address = line.as_deref().and_then(|line| {
            line.split_whitespace()
                .find_map(|word| word.strip_prefix("http://"))
                .map(str::to_owned)
        });
        let Some(address) = address else {
            panic!(
                "the server said {line:?}, and: {}",
                log_in(directory.path())
            );
        };
        Self {
            child,
            address,
            directory,
            secrets: secrets_in(variables),
        }
    }

    /// Runs the binary to its end.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn run(
        binary: impl AsRef<Path>,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Output {
        let directory = TempDir::new().unwrap();
        let mut command = command(binary, directory.path(), variables);
        let output = timeout(PATIENCE, command.args(arguments).output())
            .await
            .unwrap()
            .unwrap();
        for said in [&output.stdout, &output.stderr] {
            check_for_secrets(&secrets_in(variables), &String::from_utf8_lossy(said));
        }
        output
    }

    /// The URL of a path, such as `/health`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The URL of a session's WebSocket; `query` is empty or begins with `?`.
    #[must_use]
    pub fn session_url(&self, session_id: &str, query: &str) -> String {
        format!("ws://{}/ws/session/{session_id}{query}", self.address)
    }

    /// The working directory of the process.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What the process has logged.
    #[must_use]
    pub fn log(&self) -> String {
        log_in(self.directory.path())
    }

    /// Sends SIGTERM.
    ///
    /// # Panics
    ///
    /// If the process has ended.
    pub async fn terminate(&self) {
        self.signal("-TERM").await;
    }

    /// Sends SIGHUP.
    ///
    /// # Panics
    ///
    /// If the process has ended.
    pub async fn hang_up(&self) {
        self.signal("-HUP").await;
    }

    async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("the server has ended").to_string();
        let sent = Command::new("kill")
            .args([signal, &id])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for the process to end.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("the server does not end")
            .unwrap()
    }
}

/// The values of the variables that are secret by their names, and passwords in URLs.
fn secrets_in(variables: &[(&str, &str)]) -> Vec<String> {
    const NAMES: [&str; 5] = ["_KEY", "_TOKEN", "SECRET", "PASSWORD", "_CREDENTIAL"];
    let mut secrets = Vec::new();
    for (name, value) in variables {
        let password = value
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'))
            .and_then(|(user, _)| user.split_once(':'))
            .map(|(_, password)| password);
        let is_secret = NAMES.iter().any(|it| name.ends_with(it));
        let found = password.or(is_secret.then_some(*value));
        // A shorter one may be in a log by chance.
        secrets.extend(found.filter(|it| it.len() >= 8).map(str::to_owned));
    }
    secrets
}

fn check_for_secrets(secrets: &[String], said: &str) {
    for secret in secrets {
        let line = said.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "the process told a secret: {line:?}");
    }
}

const LOG: &str = "stderr.log";

fn log_in(directory: &Path) -> String {
    fs::read_to_string(directory.join(LOG)).unwrap()
}

fn command(binary: impl AsRef<Path>, directory: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary.as_ref());
    command
        .current_dir(directory)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}
