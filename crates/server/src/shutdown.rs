//! How a server is told to stop, step by step: one signal for each step, so that whoever embeds it
//! decides when which step is taken.

use tokio_util::sync::CancellationToken;

/// Tells a server to stop. Cloning gives another handle of the same one.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    announced: CancellationToken,
    draining: CancellationToken,
    hurried: CancellationToken,
}

impl Shutdown {
    /// The server says that it is not ready any more, and serves on: so that whoever sends it
    /// traffic has time to notice.
    pub fn announce(&self) {
        self.announced.cancel();
    }

    /// The server takes no more connections, lets answers in flight finish within
    /// `server.drain_timeout`, and stops.
    pub fn drain(&self) {
        self.announce();
        self.draining.cancel();
    }

    /// As [`drain`](Self::drain), but answers in flight are interrupted at once. Nothing else is
    /// different: what they said is stored.
    pub fn hurry(&self) {
        self.drain();
        self.hurried.cancel();
    }

    pub(crate) fn announced(&self) -> &CancellationToken {
        &self.announced
    }

    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.draining
    }

    pub(crate) fn hurried(&self) -> &CancellationToken {
        &self.hurried
    }
}
