//! Leaving a model alone that fails too often.

mod circuit;
mod machine;
mod outcome;
mod policy;
mod watched;
mod window;

use async_trait::async_trait;

use crate::error::LlmError;
use crate::model::{Answer, ChatModel};
use crate::request::ChatRequest;
use crate::windowed::Window;

pub use circuit::Circuit;
pub use machine::{CircuitState, CircuitStatus, CircuitTotals};
pub use policy::BreakerPolicy;

use outcome::Outcome;
use watched::Watched;

/// Asks its model only as long as that answers; see [`BreakerPolicy`] for the numbers.
///
/// When too many requests have failed the circuit opens, and requests are answered with
/// [`LlmError::CircuitOpen`] at once. After a wait one request is let through as a probe. If it
/// succeeds the circuit closes, if it fails the next wait is twice as long.
///
/// An answer succeeds with its finish, whatever the reason for it, and fails with an error at any
/// point. Errors that speak of the request and not of the provider
/// ([`LlmError::InvalidRequest`], [`LlmError::Blocked`]) count as neither, nor do answers that are
/// dropped before their end: people leave whole answers, and stalled ones all the more. A probe
/// that ends as neither makes room for the next.
#[derive(Debug)]
pub struct CircuitBreaker<M> {
    model: M,
    circuit: Circuit,
}

impl<M: ChatModel> CircuitBreaker<M> {
    /// Breaks as [`BreakerPolicy::default`] says.
    pub fn new(model: M) -> Self {
        Self::with_policy(model, BreakerPolicy::default())
    }

    /// Breaks as the policy says.
    pub fn with_policy(model: M, policy: BreakerPolicy) -> Self {
        let circuit = Circuit::new(model.provider(), model.model(), policy);
        Self { model, circuit }
    }

    /// A handle to look at the circuit, for health checks and metrics.
    #[must_use]
    pub fn circuit(&self) -> Circuit {
        self.circuit.clone()
    }
}

#[async_trait]
impl<M: ChatModel> ChatModel for CircuitBreaker<M> {
    fn provider(&self) -> &str {
        self.model.provider()
    }

    fn model(&self) -> &str {
        self.model.model()
    }

    fn window(&self) -> Option<&Window> {
        self.model.window()
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        let mut permit = self.circuit.admit()?;
        match self.model.stream(request).await {
            Ok(answer) => Ok(Answer::new(Watched::new(answer, permit))),
            Err(error) => {
                permit.end(Outcome::of(&error));
                Err(error)
            }
        }
    }
}
