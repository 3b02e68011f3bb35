//! What answers cost.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests share; one that cannot go on fails"
)]

use std::time::Duration;

use patter_llm::{
    Catalog, FinishReason as ModelFinish, LlmError, ModelEvent, ModelInfo, Price, TimeoutPhase,
};
use patter_protocol::ClientMessage;
use patter_session::{After, SessionHandle, SessionManager};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, call, finish, overloaded, text};
use serde_json::json;

use crate::support::{self, Client, ended, open, say};

/// Says something and tells what the answer cost.
async fn cost(session: &SessionHandle, client: &mut Client, id: &str) -> Option<f64> {
    say(session, id, "Hi").await;
    client.until_answer().await.cost_usd
}

/// 1 USD for a token in, 2 for one out.
fn prices() -> Catalog {
    let info = ModelInfo {
        prices: vec![Price {
            input: Some(1e6),
            output: Some(2e6),
            ..Price::default()
        }],
        ..ModelInfo::new("scripted", "script-1")
    };
    Catalog::builtin().with(info)
}

/// The answers' costs and that of the session.
async fn costs(replies: impl IntoIterator<Item = Reply>) -> (Vec<Option<f64>>, Option<f64>) {
    let usual = ScriptedModel::new(replies);
    let store = MemoryStore::default();
    let sessions = SessionManager::builder(store.clone(), usual.clone())
        .tools(support::tools())
        .prices(prices())
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let mut costs = Vec::new();
    while !usual.is_spent() {
        let id = format!("m-{}", costs.len());
        costs.push(cost(&session, &mut client, &id).await);
    }
    session.submit(ClientMessage::End).await.unwrap();
    client.until_closed().await;
    (costs, ended(&store).await.metrics.cost_usd)
}

#[tokio::test(start_paused = true)]
async fn the_cost_of_an_answer_is_that_of_its_steps() {
    let replies = [
        Reply::text(["One."]),
        Reply::calls([call("x", "wait", json!({"millis": 1}))]),
        Reply::text(["Two."]),
        // Not accepted, and so not charged.
        Reply::refused(overloaded()),
    ];
    assert_eq!(
        costs(replies).await,
        (vec![Some(20.0), Some(40.0), Some(0.0)], Some(60.0))
    );
}

#[tokio::test(start_paused = true)]
async fn a_cost_with_an_unknown_part_is_unknown() {
    let restarted = |provider: &str| {
        Step::Say(ModelEvent::Restarted {
            provider: provider.to_owned(),
            model: "script-1".to_owned(),
            error: overloaded(),
        })
    };
    let finish = || finish(ModelFinish::Stop);
    let replies = [
        // Cut off: its provider charges for it and does not say how much.
        Reply::of([text("Half"), Step::Fail(overloaded())]),
        // Taken over by a model without a price.
        Reply::of([restarted("elsewhere"), text("Whole"), finish()]),
        // Taken over in the middle.
        Reply::of([text("Half"), restarted("scripted"), text("Whole"), finish()]),
        // Taken over before anything was said.
        Reply::of([restarted("scripted"), text("Whole"), finish()]),
        // Two steps, of which one has no price.
        Reply::calls([call("x", "wait", json!({"millis": 1}))]),
        Reply::of([restarted("elsewhere"), text("Whole"), finish()]),
    ];
    assert_eq!(
        costs(replies).await,
        (vec![None, None, None, Some(20.0), None], None)
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_may_have_been_taken_is_not_free() {
    let silent = || LlmError::Timeout {
        provider: "scripted".to_owned(),
        phase: TimeoutPhase::FirstToken,
        limit: Duration::from_secs(45),
    };
    let restarted = ModelEvent::Restarted {
        provider: "scripted".to_owned(),
        model: "script-1".to_owned(),
        error: silent(),
    };
    let replies = [
        Reply::refused(silent()),
        // Accepted, and cut off before the first word.
        Reply::of([]),
        Reply::of([
            Step::Say(restarted),
            text("Whole"),
            finish(ModelFinish::Stop),
        ]),
    ];
    assert_eq!(costs(replies).await, (vec![None; 3], None));
}

#[tokio::test(start_paused = true)]
async fn without_prices_no_cost_is_known() {
    let usual = ScriptedModel::new([Reply::text(["One."])]);
    let sessions = SessionManager::builder(MemoryStore::default(), usual).start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    assert_eq!(cost(&session, &mut client, "m-1").await, None);
}
