//! What every session of a manager works with.

use std::sync::Arc;
use std::time::Duration;

use patter_llm::{Catalog, ChatModel, Router};
use patter_store::{EventWriter, SessionStore, Spool};
use patter_tools::ToolRegistry;
use tokio::sync::watch;

use crate::budget::{Bill, Books, Metered, Spender};
use crate::leases::Leases;
use crate::measures::Measures;
use crate::plan::Plan;
use crate::settings::SessionSettings;
use crate::turns::Turns;

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Resources {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) writer: EventWriter,
    /// Without it no message is taken while the store is away.
    pub(crate) spool: Option<Arc<dyn Spool>>,
    pub(crate) leases: Leases,
    pub(crate) model: Arc<dyn ChatModel>,
    pub(crate) tools: ToolRegistry,
    pub(crate) system_prompt: Option<String>,
    pub(crate) routes: Arc<Router<Plan>>,
    /// Without it no cost is known.
    pub(crate) prices: Option<Arc<Catalog>>,
    /// Without them nothing is counted as spent, and nothing refused for it.
    pub(crate) books: Option<Books>,
    pub(crate) settings: Arc<SessionSettings>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) stage: watch::Receiver<Stage>,
    pub(crate) measures: Arc<Measures>,
}

impl Resources {
    /// What is to be paid by somebody.
    pub(crate) fn bill(&self, spender: &Arc<Spender>) -> Option<Bill> {
        let books = self.books.clone()?;
        Some(Bill::new(books, Arc::clone(spender), self.prices.clone()))
    }

    /// The usual model, where somebody pays for what it is asked beside the answers.
    pub(crate) fn model_paid_by(&self, spender: &Arc<Spender>) -> Arc<dyn ChatModel> {
        let model = Arc::clone(&self.model);
        match self.bill(spender) {
            Some(bill) => Arc::new(Metered::new(model, bill)),
            None => model,
        }
    }
}

/// How far a manager has come with shutting down. It only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Not at all.
    Serving,
    /// Answers in flight may finish. Sessions that have nothing left to do are handed over, each at a
    /// moment of its own within `spread`, so that not all clients come back at once.
    Draining { spread: Duration },
    /// Answers in flight are interrupted; sessions are handed over as before.
    Stopping { spread: Duration },
    /// Nothing is waited for any more.
    Stopped,
}

impl Stage {
    /// Over how long sessions are to be handed over; `None` while they are served.
    pub(crate) fn spread(self) -> Option<Duration> {
        match self {
            Self::Serving => None,
            Self::Draining { spread } | Self::Stopping { spread } => Some(spread),
            Self::Stopped => Some(Duration::ZERO),
        }
    }
}
