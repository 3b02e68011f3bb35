//! Sets up a [`SessionManager`].

use std::sync::Arc;

use patter_llm::{Catalog, ChatModel, Router};
use patter_protocol::SessionId;
use patter_store::{EventWriter, Ledger, Owner, SessionStore, Spool};
use patter_tools::ToolRegistry;
use tokio::sync::watch;

use super::SessionManager;
use crate::budget::{Books, Budgets};
use crate::leases::Leases;
use crate::measures::Measures;
use crate::plan::Plan;
use crate::resources::{Resources, Stage};
use crate::settings::SessionSettings;
use crate::turns::Turns;

/// Sets up a [`SessionManager`].
#[derive(Debug)]
pub struct SessionManagerBuilder {
    store: Arc<dyn SessionStore>,
    spool: Option<Arc<dyn Spool>>,
    model: Arc<dyn ChatModel>,
    tools: ToolRegistry,
    system_prompt: Option<String>,
    routes: Router<Plan>,
    prices: Option<Catalog>,
    budgets: Option<(Arc<dyn Ledger>, Budgets)>,
    settings: SessionSettings,
}

impl SessionManagerBuilder {
    pub(super) fn new(store: Arc<dyn SessionStore>, model: Arc<dyn ChatModel>) -> Self {
        Self {
            store,
            spool: None,
            model,
            tools: ToolRegistry::default(),
            system_prompt: None,
            routes: Router::default(),
            prices: None,
            budgets: None,
            settings: SessionSettings::default(),
        }
    }

    /// Where events are safe while the store is away. Without one no message is taken then, and what
    /// an answer in flight has to say is lost if the process dies before the store is back.
    #[must_use]
    pub fn spool(mut self, spool: impl Spool + 'static) -> Self {
        self.spool = Some(Arc::new(spool));
        self
    }

    /// The tools that the model may call.
    #[must_use]
    pub fn tools(mut self, tools: ToolRegistry) -> Self {
        self.tools = tools;
        self
    }

    /// What stands above each conversation.
    #[must_use]
    pub fn system_prompt(mut self, text: impl Into<String>) -> Self {
        self.system_prompt = Some(text.into());
        self
    }

    /// How a message is answered that is not to be answered as all others; see [`Plan`]. A route is
    /// chosen for each answer, also for one that is given again.
    #[must_use]
    pub fn routes(mut self, routes: Router<Plan>) -> Self {
        self.routes = routes;
        self
    }

    /// What models cost. Without it no cost is known.
    #[must_use]
    pub fn prices(mut self, prices: Catalog) -> Self {
        self.prices = Some(prices);
        self
    }

    /// How much may be spent, and where what is spent is kept: the store of all processes that spend
    /// together. Without it nothing is counted as spent. Costs are known by the [prices](Self::prices).
    #[must_use]
    pub fn budgets(mut self, ledger: impl Ledger + 'static, budgets: Budgets) -> Self {
        self.budgets = Some((Arc::new(ledger), budgets));
        self
    }

    /// Limits and deadlines.
    #[must_use]
    pub fn settings(mut self, settings: SessionSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Starts the manager. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(self) -> SessionManager {
        let (stage, stage_receiver) = watch::channel(Stage::Serving);
        let owner = Owner {
            // Unique among all processes there ever were.
            id: SessionId::generate().to_string(),
            lease: self.settings.lease,
            linger: self.settings.linger,
        };
        let measures = Measures::default();
        measures.expect_model(self.model.provider(), self.model.model());
        let books = self
            .budgets
            .map(|(ledger, budgets)| Books::open(ledger, budgets));
        let resources = Arc::new(Resources {
            measures: Arc::new(measures),
            writer: EventWriter::start(Arc::clone(&self.store)),
            store: self.store,
            spool: self.spool,
            leases: Leases::new(owner),
            model: self.model,
            tools: self.tools,
            system_prompt: self.system_prompt,
            routes: Arc::new(self.routes),
            prices: self.prices.map(Arc::new),
            turns: Arc::new(Turns::new(&self.settings)),
            books,
            settings: Arc::new(self.settings),
            stage: stage_receiver,
        });
        SessionManager::start(resources, stage)
    }
}
