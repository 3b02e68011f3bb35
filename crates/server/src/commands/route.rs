//! `patter route`: which route a message would take, and why.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use patter_llm::{Answer, ChatModel, ChatRequest, Explanation, LlmError, Situation};
use serde::Serialize;
use serde_json::{Map, Value};

use super::models::Named;
use super::table::Table;
use crate::config::{Config, RouteConfig};
use crate::error::ServerError;
use crate::wiring::{self, Models};

/// A message, and where it stands.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The text of the message.
    pub text: String,
    /// What the session was opened with.
    pub session: Map<String, Value>,
    /// What came with the message.
    pub message: Map<String, Value>,
    /// How many turns the conversation had before.
    pub turns: u64,
    /// Whether the classifier may be asked, which goes over the network.
    pub classify: bool,
}

/// What `patter route` says.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RouteReport {
    /// The model that would answer.
    pub target: Named,
    /// What the route sets besides.
    pub settings: RouteConfig,
    /// The route that would be taken, and for each route which of its conditions hold.
    #[serde(flatten)]
    pub explanation: Explanation,
}

impl RouteReport {
    /// Chooses a route for the message as the server would. Unless the question allows it, the
    /// classifier is not asked, and what would happen where it fails is told.
    ///
    /// # Errors
    ///
    /// Where the classifier cannot be set up.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the request to the classifier.
    pub async fn new(config: &Config, question: &Question) -> Result<Self, ServerError> {
        let catalog = wiring::catalog(config);
        let mut models = Models::new(config, &catalog);
        let classifier: Option<Arc<dyn ChatModel>> = match config.classifier_target() {
            Some(target) if question.classify => Some(models.model(&target)?),
            Some(_) => Some(Arc::new(NotAsked)),
            None => None,
        };
        let router = wiring::router(config, classifier, |_| Ok(()))?;
        let situation = Situation {
            text: &question.text,
            session_metadata: &question.session,
            message_metadata: &question.message,
            turns: question.turns,
        };
        let mut explanation = router.explain(&situation).await;
        if let Some(class) = explanation.class.as_mut().filter(|_| !question.classify) {
            class.failure = Some("it was not asked; --classify asks it".to_owned());
        }
        let mut routes = config.routes.iter();
        let taken = routes.find(|route| route.name == explanation.route);
        let settings = taken.map(|route| route.then.clone()).unwrap_or_default();
        Ok(Self {
            target: (&config.route_target(&settings)).into(),
            settings,
            explanation,
        })
    }
}

impl fmt::Display for RouteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.explanation)?;
        let mut table = Table::default();
        let mut row = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                table.row([name.to_owned(), value]);
            }
        };
        let settings = &self.settings;
        row("answers", Some(self.target.to_string()));
        row("system_prompt", settings.system_prompt.clone());
        row("tools", settings.tools.as_deref().map(listed));
        row("temperature", settings.temperature.map(|it| it.to_string()));
        row(
            "max_output_tokens",
            settings.max_output_tokens.map(|it| it.to_string()),
        );
        write!(f, "{table}")
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

/// Stands in for the classifier in a dry run.
#[derive(Debug)]
struct NotAsked;

#[async_trait]
impl ChatModel for NotAsked {
    fn provider(&self) -> &str {
        "nobody"
    }

    fn model(&self) -> &str {
        "none"
    }

    async fn stream(&self, _request: &ChatRequest) -> Result<Answer, LlmError> {
        Err(LlmError::Settings {
            provider: self.provider().to_owned(),
            message: "this is a dry run".to_owned(),
        })
    }
}
