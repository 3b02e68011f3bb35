//! The signals by which a system asks a process to stop, SIGINT (Ctrl-C) and SIGTERM, and the one by
//! which it asks for the configuration to be read again, SIGHUP.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{self, SignalKind, signal};

/// What a process was asked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What orchestrators and service managers send.
    Terminate,
}

/// Listens for signals from when it was made, so that none is missed.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: unix::Signal,
    #[cfg(unix)]
    terminate: unix::Signal,
}

impl Signals {
    /// Listens from now on: the process is not ended by these signals any more.
    ///
    /// # Errors
    ///
    /// Where the system has no room for another listener.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }

    /// Waits for the next one, which can only be Ctrl-C.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nobody can send one.
            std::future::pending().await;
        }
        Signal::Interrupt
    }
}

/// Listens for SIGHUP from when it was made; elsewhere than on Unix there is none.
#[derive(Debug)]
pub(crate) struct HangUps {
    #[cfg(unix)]
    hang_up: unix::Signal,
}

impl HangUps {
    /// Listens from now on: the process is not ended by it any more.
    ///
    /// # Errors
    ///
    /// Where the system has no room for another listener.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one. Several that come at once may count as one.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if self.hang_up.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
}
