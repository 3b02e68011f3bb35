//! Models as the configuration names them: each gets what fits its window, is asked again, is left
//! alone when it fails too often, and has others behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use patter_llm::{
    Catalog, ChatModel, Circuit, CircuitBreaker, Demo, Failover, Gemini, LlmError, OpenAi, Retry,
    RetryBudget, RetryPolicy, Settings, Timeouts, Traced, Windowed,
};

use crate::config::{Config, ModelTarget, ProviderKind};
use crate::error::ServerError;
use crate::telemetry::traces;

/// The models of a process. However often one is named, it is made once, so that all who ask it
/// share its circuit.
#[derive(Debug)]
pub(crate) struct Models<'a> {
    config: &'a Config,
    catalog: &'a Catalog,
    /// One for all models: an outage is not multiplied by asking again.
    budget: RetryBudget,
    /// By provider and model.
    made: BTreeMap<(String, String), Arc<dyn ChatModel>>,
    circuits: Vec<Circuit>,
}

impl<'a> Models<'a> {
    pub(crate) fn new(config: &'a Config, catalog: &'a Catalog) -> Self {
        Self {
            config,
            catalog,
            budget: RetryBudget::default(),
            made: BTreeMap::new(),
            circuits: Vec::new(),
        }
    }

    /// The circuits of all models that were made.
    pub(crate) fn circuits(self) -> Vec<Circuit> {
        self.circuits
    }

    /// This model, and behind it the fallbacks of the configuration.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be set up.
    pub(crate) fn with_fallbacks(
        &mut self,
        target: &ModelTarget,
    ) -> Result<Arc<dyn ChatModel>, ServerError> {
        let first = self.model(target)?;
        let mut others = self.config.fallbacks();
        others.retain(|other| !other.is_same(target));
        if others.is_empty() {
            return Ok(first);
        }
        let mut model = Failover::new(first);
        for other in &others {
            model = model.then(self.model(other)?);
        }
        Ok(Arc::new(model))
    }

    /// This model alone.
    ///
    /// # Errors
    ///
    /// Where it cannot be set up.
    pub(crate) fn model(
        &mut self,
        target: &ModelTarget,
    ) -> Result<Arc<dyn ChatModel>, ServerError> {
        let name = (target.provider.clone(), target.model.clone());
        if let Some(model) = self.made.get(&name) {
            return Ok(Arc::clone(model));
        }
        let backend = backend(self.config, target).map_err(ServerError::Model)?;
        let traced = Traced::new(backend).with_content(self.config.telemetry.record_content);
        let guarded = CircuitBreaker::new(Windowed::new(traced, self.catalog));
        self.circuits.push(guarded.circuit());
        let policy = retry_policy(self.config);
        let model = Retry::with_policy(guarded, self.budget.clone(), policy);
        let model: Arc<dyn ChatModel> = Arc::new(model);
        self.made.insert(name, Arc::clone(&model));
        Ok(model)
    }
}

fn backend(config: &Config, target: &ModelTarget) -> Result<Arc<dyn ChatModel>, LlmError> {
    Ok(match target.kind {
        ProviderKind::Demo => Arc::new(Demo::new().pace(config.demo.delay)),
        ProviderKind::Gemini => Arc::new(Gemini::new(settings(config, target))?),
        ProviderKind::OpenAi => Arc::new(OpenAi::new(settings(config, target))?),
    })
}

fn settings(config: &Config, target: &ModelTarget) -> Settings {
    let llm = &config.llm;
    let timeouts = Timeouts {
        connect: llm.connect_timeout,
        headers: llm.headers_timeout,
        first_token: llm.first_token_timeout,
        next_token: llm.next_token_timeout,
        whole_answer: llm.answer_timeout,
    };
    let mut settings = Settings::new(&target.model)
        .name(&target.provider)
        .schema_form(target.tool_schema)
        .timeouts(timeouts)
        .headers(traces::outgoing);
    if let Some(url) = &target.base_url {
        settings = settings.base_url(url);
    }
    if let Some(key) = &target.key {
        settings = settings.key(key.clone());
    }
    if let Some(api) = target.api {
        settings = settings.api(api);
    }
    if let Some(effort) = llm.reasoning_effort {
        settings = settings.reasoning_effort(effort);
    }
    settings
}

fn retry_policy(config: &Config) -> RetryPolicy {
    let usual = RetryPolicy::default();
    let longest = config.llm.retry_max_wait;
    RetryPolicy {
        retries: config.llm.retries,
        longest_retry_after: longest,
        // There must be time for what a provider may ask for.
        tries_begin_within: usual.tries_begin_within - usual.longest_retry_after + longest,
        ..usual
    }
}
