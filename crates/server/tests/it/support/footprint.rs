//! What a server has running and open, which nothing that is thrown at it may leave behind.
//!
//! Tests of one process run beside each other, so each figure is of one server: the tasks of its runtime, which is
//! that of its test, and the sockets at its port. What the whole process takes, memory and descriptors, is looked
//! at where it is alone: P19 of the fault suite.

use std::fs;

use tokio::runtime::Handle;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footprint {
    tasks: usize,
    /// Only Linux tells; none elsewhere.
    sockets: usize,
}

impl Footprint {
    /// What the server at this port has now.
    pub(crate) fn at(port: u16) -> Self {
        Self {
            tasks: Handle::current().metrics().num_alive_tasks(),
            sockets: open_sockets(port),
        }
    }

    pub(crate) fn is_within(self, other: Self) -> bool {
        self.tasks <= other.tasks && self.sockets <= other.sockets
    }
}

/// The sockets at this port that some process still has, but for the one that listens.
fn open_sockets(port: u16) -> usize {
    const LISTENS: &str = "0A";
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap_or_default();
    let at_port = format!(":{port:04X}");
    let is_open = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        matches!(fields[..], [_, local, _, state, _, _, _, _, _, inode, ..]
            if local.ends_with(&at_port) && state != LISTENS && inode != "0")
    };
    table.lines().filter(is_open).count()
}
