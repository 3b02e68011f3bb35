//! Breaks one mechanism on purpose, so that the fault suite can show that it would notice. Compiled
//! for that suite alone (feature `sabotage`); the variable `SABOTAGE` names what is broken. (With
//! `PATTER_` in front it would be a key of the configuration.)
//!
//! Each is broken from outside, where it stands between the parts: the parts themselves are those
//! that are shipped. (What the database does is broken there, by the suite.)

mod model;
mod store;

use std::sync::Arc;

use patter_llm::ChatModel;
use patter_store::SessionStore;

use model::DeafModel;
use store::BrokenStore;

/// What is broken about a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Events count as stored a while before they are.
    AckBeforeCommit,
    /// A tool runs before its call is stored.
    LedgerAfterTool,
    /// Leases count as renewed whatever the store says.
    NoSelfStop,
    /// Nobody looks for sessions that were left behind.
    NoSweep,
    /// Pages of the log miss an event.
    ReplayWithGap,
}

fn chosen() -> String {
    std::env::var("SABOTAGE").unwrap_or_default()
}

/// The store, broken where that is asked for.
pub(crate) fn store(store: Arc<dyn SessionStore>) -> Arc<dyn SessionStore> {
    let fault = match chosen().as_str() {
        "ack-before-commit" => Fault::AckBeforeCommit,
        "ledger-after-tool" => Fault::LedgerAfterTool,
        "no-self-stop" => Fault::NoSelfStop,
        "no-sweep" => Fault::NoSweep,
        "replay-with-gap" => Fault::ReplayWithGap,
        _ => return store,
    };
    Arc::new(BrokenStore::new(store, fault))
}

/// The model, broken where that is asked for: `cancel-keeps-stream` leaves a provider's stream open
/// when its answer is cancelled.
pub(crate) fn model(model: Arc<dyn ChatModel>) -> Arc<dyn ChatModel> {
    match chosen().as_str() {
        "cancel-keeps-stream" => Arc::new(DeafModel::new(model)),
        _ => model,
    }
}
