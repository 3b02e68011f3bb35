//! The store in memory that other crates test with keeps the promises of the real ones.

use std::sync::Arc;

use async_trait::async_trait;
use patter_store::{Ledger, SessionStore};
use patter_testkit::ledger_conformance::LedgerFixture;
use patter_testkit::memory_ledger::MemoryLedger;
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::store_conformance::StoreFixture;

struct Memory(MemoryStore, MemoryLedger);

#[async_trait]
impl StoreFixture for Memory {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.0.clone())
    }
}

#[async_trait]
impl LedgerFixture for Memory {
    async fn open_ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(self.1.clone())
    }
}

#[expect(clippy::unused_async, reason = "the suite waits for it")]
async fn make() -> Memory {
    Memory(MemoryStore::default(), MemoryLedger::default())
}

patter_testkit::store_conformance!(make);
patter_testkit::ledger_conformance!(make);
