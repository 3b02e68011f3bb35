//! How fast one client may send, together with all other connections of the same caller.

use std::sync::Arc;

use patter_protocol::{ClientMessage, ErrorEvent};

use crate::auth::Caller;
#[cfg(test)]
use crate::config::{Config, Sources};
use crate::limits::{CallerLimits, Who};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Pace {
    limits: Arc<CallerLimits>,
    who: Option<Who>,
}

impl Pace {
    pub(crate) fn new(limits: Arc<CallerLimits>, caller: &Caller) -> Self {
        let who = limits.who(caller);
        Self { limits, who }
    }

    /// Of a client that is not counted.
    #[cfg(test)]
    pub(crate) fn unlimited() -> Self {
        let config = Config::load(&Sources::none()).unwrap();
        Self {
            limits: Arc::new(CallerLimits::new(&config, Arc::default())),
            who: None,
        }
    }

    /// As whom the client is counted.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        self.who.as_ref().map(Who::name)
    }

    /// Counts a frame, whatever is in it.
    ///
    /// # Errors
    ///
    /// What the client is to be told, where it is one too many.
    pub(crate) fn frame(&self) -> Result<(), ErrorEvent> {
        let counted = self.limits.frame(self.who.as_ref());
        counted.map_err(|too_much| too_much.event(None))
    }

    /// Counts what is in it, if the model is to answer it.
    ///
    /// # Errors
    ///
    /// What the client is to be told, where it is one too many.
    pub(crate) fn message(&self, message: &ClientMessage) -> Result<(), ErrorEvent> {
        let message_id = match message {
            ClientMessage::UserMessage(input) => input.id.clone(),
            ClientMessage::Regenerate => None,
            _ => return Ok(()),
        };
        let counted = self.limits.message(self.who.as_ref());
        counted.map_err(|too_much| too_much.event(message_id))
    }
}
