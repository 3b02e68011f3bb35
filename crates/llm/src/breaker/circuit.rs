//! A circuit as several tasks share it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tracing::{info, warn};

use crate::error::LlmError;

use super::machine::{Admission, Change, CircuitStatus, Machine};
use super::outcome::Outcome;
use super::policy::BreakerPolicy;

/// A handle to the circuit of one model at one provider. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Circuit {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    provider: String,
    model: String,
    /// Locked at the start and the end of an answer, never for its pieces.
    machine: Mutex<Machine>,
}

impl Circuit {
    pub(super) fn new(provider: &str, model: &str, policy: BreakerPolicy) -> Self {
        Self {
            shared: Arc::new(Shared {
                provider: provider.to_owned(),
                model: model.to_owned(),
                machine: Mutex::new(Machine::new(policy)),
            }),
        }
    }

    /// Name of the provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.shared.provider
    }

    /// Name of the model at the provider.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.shared.model
    }

    /// What it does now, and what it has seen.
    #[must_use]
    pub fn status(&self) -> CircuitStatus {
        self.machine().status(Instant::now())
    }

    /// Lets a request through.
    ///
    /// # Errors
    ///
    /// [`LlmError::CircuitOpen`] where none is.
    pub(super) fn admit(&self) -> Result<Permit, LlmError> {
        let admitted = self.machine().admit(Instant::now());
        let request = admitted.map_err(|retry_after| LlmError::CircuitOpen {
            provider: self.provider().to_owned(),
            retry_after,
        })?;
        if request.is_probe {
            info!(
                provider = self.provider(),
                model = self.model(),
                "circuit half open, one request is let through"
            );
        }
        Ok(Permit {
            circuit: self.clone(),
            request: Some(request),
        })
    }

    fn end(&self, request: Admission, outcome: Outcome) {
        let change = self.machine().end(request, outcome, Instant::now());
        let (provider, model) = (self.provider(), self.model());
        match change {
            None => {}
            Some(Change::Opened { wait }) => {
                warn!(
                    provider,
                    model,
                    wait_ms = wait.as_millis(),
                    "circuit opened: the model has failed too often"
                );
            }
            Some(Change::ProbeFailed { wait }) => {
                warn!(
                    provider,
                    model,
                    wait_ms = wait.as_millis(),
                    "circuit stays open: the model still fails"
                );
            }
            Some(Change::Closed) => info!(provider, model, "circuit closed: the model answers"),
        }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        // Nothing in there can be left half done.
        self.shared
            .machine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was let through. Dropped without an end it counts as neither success nor
/// failure, and a probe makes room for the next.
#[derive(Debug)]
pub(super) struct Permit {
    circuit: Circuit,
    /// `None` when it is over.
    request: Option<Admission>,
}

impl Permit {
    /// The request is over; further ends are ignored.
    pub(super) fn end(&mut self, outcome: Outcome) {
        if let Some(request) = self.request.take() {
            self.circuit.end(request, outcome);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.end(Outcome::Neither);
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Collects what is logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    // Here, and not beside the other tests of the circuit: what one thread logs is lost now and
    // then where others log from the same places.
    #[tokio::test(start_paused = true)]
    async fn each_change_is_logged_once() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        let _here = tracing::subscriber::set_default(subscriber);

        let circuit = Circuit::new("a", "a-1", BreakerPolicy::default());
        let ends = |outcome| circuit.admit().unwrap().end(outcome);
        for _ in 0..10 {
            ends(Outcome::Failure("server"));
        }
        for _ in 0..100 {
            circuit.admit().unwrap_err();
        }
        tokio::time::advance(std::time::Duration::from_secs(10)).await;
        ends(Outcome::Failure("server"));
        tokio::time::advance(std::time::Duration::from_secs(20)).await;
        for _ in 0..100 {
            ends(Outcome::Success);
        }

        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let told: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_once("circuit "))
            .filter_map(|(_, what)| what.split([':', ',']).next())
            .collect();
        assert_eq!(
            told,
            ["opened", "half open", "stays open", "half open", "closed"]
        );
    }
}
