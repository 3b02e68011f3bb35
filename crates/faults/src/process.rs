//! Processes by their number: signals, children, memory, open files. Never by name.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// Sends a signal; a process that is gone already is none of our business.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _gone_already = kill_process(pid, signal);
    }
}

/// Whether the process is there and not a zombie.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    stat_of(pid).is_some_and(|fields| fields[0] != "Z")
}

/// The processes that a process has started and that are still there.
#[must_use]
pub fn children_of(parent: u32) -> Vec<u32> {
    let parent = parent.to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| stat_of(*pid).is_some_and(|fields| fields[1] == parent))
        .collect()
}

/// The fields of `/proc/PID/stat` behind the name, which may hold anything: state, parent, ...
fn stat_of(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}

/// Waits until none of the processes is there.
///
/// # Errors
///
/// If one is still there when the time is over.
pub async fn wait_until_gone(pids: &[u32], patience: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience;
    while pids.iter().any(|pid| is_alive(*pid)) {
        if Instant::now() > deadline {
            bail!("processes {pids:?} do not end");
        }
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// What a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Memory that is in use, in KiB.
    pub resident_kib: u64,
    /// Open files and sockets.
    pub files: usize,
    /// Threads.
    pub threads: u64,
    /// Time on a processor so far in the program itself, in hundredths of a second.
    pub user_ticks: u64,
    /// The same in the kernel.
    pub system_ticks: u64,
}

impl Usage {
    /// Time on a processor so far, in hundredths of a second.
    #[must_use]
    pub fn cpu_ticks(self) -> u64 {
        self.user_ticks + self.system_ticks
    }
}

/// What a process uses now.
///
/// # Errors
///
/// If it is gone.
pub fn usage(pid: u32) -> anyhow::Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| -> anyhow::Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let word = line.and_then(|rest| rest.split_whitespace().next());
        Ok(word
            .with_context(|| format!("no `{name}` in the status"))?
            .parse()?)
    };
    let stat = stat_of(pid).context("the process is gone")?;
    Ok(Usage {
        resident_kib: field("VmRSS:")?,
        files: fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd"))?.count(),
        threads: field("Threads:")?,
        user_ticks: stat[11].parse()?,
        system_ticks: stat[12].parse()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_uses_something() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.resident_kib > 100 && usage.files > 2 && usage.threads > 0);
        assert!(is_alive(std::process::id()));
        assert!(!is_alive(u32::MAX));
    }
}
