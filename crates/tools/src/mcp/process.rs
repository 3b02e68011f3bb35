//! A server that is a process of ours, in a process group of its own: whatever it starts and leaves
//! behind is killed with it.

use std::collections::BTreeMap;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::trace;

use crate::secrets::Secrets;

/// Variables without which hardly a program runs. None of them says a secret.
const INHERITED: [&str; 10] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SYSTEMROOT",
];
/// How long a process may take to end after its input was closed, and again after it was asked to.
const GRACE: Duration = Duration::from_millis(2_400);
/// Of what it says on its standard error so much is logged; the rest is read and thrown away, so that it
/// does not wait for us.
const MAX_LOGGED_BYTES: usize = 16 * 1024;
const STDERR_BUFFER: usize = 4 * 1024;

/// Dropped, it is killed at once.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
    /// Reads what it says on its standard error.
    _reader: JoinSet<()>,
}

impl Process {
    /// Starts it, and gives its output and input.
    pub(super) fn start(
        server: &str,
        program: &str,
        arguments: &[String],
        environment: &BTreeMap<String, String>,
        secrets: &Arc<Secrets>,
    ) -> io::Result<(Self, ChildStdout, ChildStdin)> {
        let inherited = INHERITED.iter().filter_map(|name| {
            let value = std::env::var_os(name)?;
            Some((name, value))
        });
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(inherited)
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let streams = (child.stdout.take(), child.stdin.take(), child.stderr.take());
        let (Some(stdout), Some(stdin), Some(stderr)) = streams else {
            return Err(io::Error::other("it has no standard streams"));
        };
        let mut reader = JoinSet::new();
        reader.spawn(read_stderr(server.to_owned(), stderr, Arc::clone(secrets)));
        let process = Self {
            #[cfg(unix)]
            group: child.id().and_then(group_of),
            child,
            _reader: reader,
        };
        Ok((process, stdout, stdin))
    }

    /// Waits until it has ended.
    ///
    /// Cancel safe.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Ends it, whose input is closed: waits, then asks it to terminate, then kills what is left of its
    /// group.
    pub(super) async fn end(mut self) {
        if timeout(GRACE, self.child.wait()).await.is_err() {
            self.ask_to_terminate();
            let _in_time = timeout(GRACE, self.child.wait()).await.is_ok();
        }
        self.kill();
        // Nothing outlives that but in the kernel, so this is soon.
        let _reaped = timeout(GRACE, self.child.wait()).await.is_ok();
    }

    #[cfg(unix)]
    fn ask_to_terminate(&self) {
        use rustix::process::{Signal, kill_process_group};
        if let Some(group) = self.group {
            // Who is gone already needs not be asked.
            let _asked = kill_process_group(group, Signal::TERM).is_ok();
        }
    }

    #[cfg(not(unix))]
    fn ask_to_terminate(&self) {}

    /// The group outlives its leader while anybody is in it, so its number is not another's then. Where
    /// nobody is, it is free, and was so for too short a time to have been given again.
    #[cfg(unix)]
    fn kill(&mut self) {
        use rustix::process::{Signal, kill_process_group};
        if let Some(group) = self.group.take() {
            let _anybody_left = kill_process_group(group, Signal::KILL).is_ok();
        }
    }

    #[cfg(not(unix))]
    fn kill(&mut self) {
        let _was_alive = self.child.start_kill().is_ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(unix)]
fn group_of(id: u32) -> Option<rustix::process::Pid> {
    i32::try_from(id)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
}

async fn read_stderr(server: String, stderr: ChildStderr, secrets: Arc<Secrets>) {
    let mut stderr = BufReader::with_capacity(STDERR_BUFFER, stderr);
    let mut buffer = [0; STDERR_BUFFER];
    let mut left = MAX_LOGGED_BYTES;
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        let logged = read.min(left);
        left -= logged;
        if logged > 0 {
            let said = String::from_utf8_lossy(buffer.get(..logged).unwrap_or_default());
            let said = secrets.shorten(said.into_owned());
            // It may say anything, control characters and what it was asked included.
            trace!(plugin = server, said = ?said.trim_end(), "an MCP server says on its standard error");
        }
    }
}
