//! Asking another model where one fails.

mod relay;

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::LlmError;
use crate::model::{Answer, ChatModel};
use crate::request::ChatRequest;
use crate::windowed::Window;

use relay::Relay;

/// Asks models in order, until one gives a whole answer.
///
/// Whatever goes wrong with one, before its first event or in the middle of its answer, makes the
/// next answer afresh. When that gives its first event, [`ModelEvent::Restarted`] stands before
/// it: it says who answers now and why, and that all that was said before is void. Models that
/// failed in between without a word are passed over. The exception is [`LlmError::Blocked`]: what
/// one provider withholds is not asked of the next. An answer that finishes is an answer, whatever
/// the reason for the finish.
///
/// When no model is left, the answer ends with the error that says most, of those since the last
/// `Restarted`; what was said since then stays valid as a part of an answer. An error after which
/// asking again may help says more than one after which it does not, because then it may help
/// here too; of the former, [`LlmError::CircuitOpen`] says least, because it only repeats earlier
/// errors; among equals the earliest is taken.
///
/// [`ChatModel::stream`] returns with the first event. To the outside it has the name of its first
/// model.
///
/// [`ModelEvent::Restarted`]: crate::ModelEvent::Restarted
#[derive(Debug)]
pub struct Failover {
    primary: Arc<dyn ChatModel>,
    others: Vec<Arc<dyn ChatModel>>,
}

impl Failover {
    /// Asks this model first.
    pub fn new(primary: impl ChatModel + 'static) -> Self {
        Self {
            primary: Arc::new(primary),
            others: Vec::new(),
        }
    }

    /// Asks this one where all before it have failed.
    #[must_use]
    pub fn then(mut self, model: impl ChatModel + 'static) -> Self {
        self.others.push(Arc::new(model));
        self
    }
}

#[async_trait]
impl ChatModel for Failover {
    fn provider(&self) -> &str {
        self.primary.provider()
    }

    fn model(&self) -> &str {
        self.primary.model()
    }

    fn window(&self) -> Option<&Window> {
        self.primary.window()
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        // The answer outlives this call, and so does what it may have to ask again. The models
        // are shared, and the request is no larger than what goes to a provider anyway.
        let others = self.others.clone().into_iter();
        Relay::start(Arc::clone(&self.primary), others, request.clone()).await
    }
}
