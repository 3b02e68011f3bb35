//! One answer, which may pass from model to model.

use std::collections::VecDeque;
use std::sync::Arc;
use std::vec;

use futures_util::stream;
use tracing::{debug, warn};

use crate::error::LlmError;
use crate::event::ModelEvent;
use crate::first_event::first_event;
use crate::model::{Answer, ChatModel};
use crate::request::ChatRequest;

/// One answer, and those who can take it over.
pub(super) struct Relay {
    request: ChatRequest,
    /// Those who were not asked yet.
    waiting: vec::IntoIter<Arc<dyn ChatModel>>,
    /// The one that was asked last.
    model: Arc<dyn ChatModel>,
    /// What it answers; `None` when that is over.
    answer: Option<Answer>,
    /// Goes out before anything else of the answer.
    held: VecDeque<ModelEvent>,
}

impl Relay {
    /// Asks the first model, and where it fails the others, until one has begun to answer.
    pub(super) async fn start(
        primary: Arc<dyn ChatModel>,
        others: vec::IntoIter<Arc<dyn ChatModel>>,
        request: ChatRequest,
    ) -> Result<Answer, LlmError> {
        let mut relay = Self {
            request,
            waiting: others,
            model: primary,
            answer: None,
            held: VecDeque::new(),
        };
        match first_event(&*relay.model, &relay.request).await {
            Ok((first, rest)) => {
                relay.held.push_back(first);
                relay.answer = Some(rest);
            }
            Err(error) => relay.take_over(error).await?,
        }
        // Boxed, because it is moved for every event.
        let events = stream::unfold(Box::new(relay), |mut relay| async move {
            let event = relay.next().await?;
            Some((event, relay))
        });
        Ok(Answer::new(events))
    }

    async fn next(&mut self) -> Option<Result<ModelEvent, LlmError>> {
        loop {
            let event = match self.held.pop_front() {
                Some(event) => Ok(event),
                None => match self.answer.as_mut()?.next().await {
                    Some(event) => event,
                    None => Err(LlmError::Truncated {
                        provider: self.model.provider().to_owned(),
                    }),
                },
            };
            match event {
                Ok(event) => {
                    if matches!(event, ModelEvent::Finish { .. }) {
                        self.answer = None;
                    }
                    return Some(Ok(event));
                }
                Err(error) => {
                    // Closed before somebody else is asked.
                    self.answer = None;
                    if let Err(error) = self.take_over(error).await {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    /// Finds somebody who answers, now that the last one has failed; gives the error that says
    /// most where there is nobody.
    async fn take_over(&mut self, error: LlmError) -> Result<(), LlmError> {
        if is_final(&error) {
            return Err(error);
        }
        report(&*self.model, &error);
        let mut telling = error;
        for model in self.waiting.by_ref() {
            self.model = model;
            match first_event(&*self.model, &self.request).await {
                Ok((first, rest)) => {
                    let restarted = ModelEvent::Restarted {
                        provider: self.model.provider().to_owned(),
                        model: self.model.model().to_owned(),
                        error: telling,
                    };
                    self.held.extend([restarted, first]);
                    self.answer = Some(rest);
                    return Ok(());
                }
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => {
                    report(&*self.model, &error);
                    if weight(&error) > weight(&telling) {
                        telling = error;
                    }
                }
            }
        }
        Err(telling)
    }
}

/// Whether nobody else is to be asked after this.
fn is_final(error: &LlmError) -> bool {
    matches!(error, LlmError::Blocked { .. })
}

/// How much an error says about the whole, if several models failed.
fn weight(error: &LlmError) -> u8 {
    match error {
        error if !error.is_retryable() => 0,
        LlmError::CircuitOpen { .. } => 1,
        _ => 2,
    }
}

fn report(model: &dyn ChatModel, error: &LlmError) {
    let (provider, model) = (model.provider(), model.model());
    if matches!(error, LlmError::CircuitOpen { .. }) {
        // The opening was told; this comes with each request as long as it lasts.
        debug!(provider, model, %error, "model passed over");
    } else {
        warn!(provider, model, %error, "model failed");
    }
}
