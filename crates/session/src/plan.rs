//! How a message is answered: what its route sets, and who chooses the route.

use std::sync::Arc;

use patter_llm::{ChatModel, ClassifierUse, Router, Situation};
use patter_protocol::JsonObject;

use crate::budget::Bill;

/// What a route sets for the answers that it is taken for. What is `None` is as the
/// [`SessionManager`](crate::SessionManager) has it.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The model that answers.
    pub model: Option<Arc<dyn ChatModel>>,
    /// What stands above the conversation.
    pub system_prompt: Option<String>,
    /// Names of the tools that are offered, out of those that the manager has. A call of any
    /// other is answered as one of an unknown tool.
    pub tools: Option<Vec<String>>,
    /// Sampling temperature.
    pub temperature: Option<f32>,
    /// At most so many tokens of one step of an answer.
    pub max_output_tokens: Option<u32>,
}

/// A message that is to be answered, as routes see it.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) text: String,
    pub(crate) message_metadata: JsonObject,
    pub(crate) session_metadata: JsonObject,
    /// User messages before this one, as far as a model is shown them.
    pub(crate) turns: u64,
}

/// The route of a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chosen {
    /// Its name; `None` for the default.
    pub(crate) route: Option<String>,
    pub(crate) plan: Plan,
}

/// Chooses the route of a message. Takes as long as the classifier, if one is asked.
/// That is charged to `bill`.
pub(crate) async fn choose(
    routes: Arc<Router<Plan>>,
    question: Question,
    bill: Option<Bill>,
) -> Chosen {
    let situation = Situation {
        text: &question.text,
        session_metadata: &question.session_metadata,
        message_metadata: &question.message_metadata,
        turns: question.turns,
    };
    let choice = routes.choose(&situation).await;
    let asked = choice.class.as_ref().and_then(|class| class.asked.as_ref());
    if let (Some(bill), Some(asked)) = (bill, asked) {
        let ClassifierUse {
            provider,
            model,
            usage,
            input_tokens,
        } = asked;
        bill.charge(provider, model, *usage, *input_tokens, 0);
    }
    choice.then.map_or_else(Chosen::default, |plan| Chosen {
        route: Some(choice.route.to_owned()),
        plan: plan.clone(),
    })
}

/// The same, once the model it leads to (`model` is the default) can count a conversation of so many
/// bytes: a session must not wait for a vocabulary to be loaded, nor what else its thread does.
pub(crate) async fn ready_to_count(
    chosen: impl Future<Output = Chosen>,
    model: Arc<dyn ChatModel>,
    bytes: u64,
) -> Chosen {
    let chosen = chosen.await;
    let model = chosen.plan.model.as_ref().unwrap_or(&model);
    if let Some(window) = model.window() {
        window.prepare(bytes).await;
    }
    chosen
}
