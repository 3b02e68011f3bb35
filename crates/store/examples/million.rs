//! How fast search and analytics are with a million events, and how fast events are appended:
//!
//! ```text
//! cargo run --release -p patter-store --example million -- sqlite FILE [EVENTS]
//! cargo run --release -p patter-store --example million -- postgres URL [EVENTS]
//! ```
//!
//! The file or database is one to be thrown away. It is filled if nothing is in it, and only asked
//! if something is. `docs/search-and-analytics.md` has the figures.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

mod ask;
mod fill;
mod words;

use std::sync::Arc;

use anyhow::{Context, bail};
use patter_store::{
    Insight, PostgresOptions, PostgresStore, SearchQuery, SessionStore, SqliteStore,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments
        .next()
        .context("which store? `sqlite` or `postgres`")?;
    let place = arguments.next().context("which file or URL?")?;
    let events = arguments
        .next()
        .map_or(Ok(1_000_000), |events| events.parse())?;
    let (store, insight): (Arc<dyn SessionStore>, Arc<dyn Insight>) = match kind.as_str() {
        "sqlite" => {
            let store = Arc::new(SqliteStore::open(place).await?);
            (Arc::clone(&store) as _, store)
        }
        "postgres" => {
            let options = PostgresOptions {
                allow_unsafe_fsync: true,
                ..PostgresOptions::new(place.into())
            };
            let store = Arc::new(PostgresStore::connect(options).await?);
            (Arc::clone(&store) as _, store)
        }
        other => bail!("`{other}` is neither `sqlite` nor `postgres`"),
    };
    let anything = SearchQuery {
        text: words::word(0),
        user_id: None,
        limit: 1,
        after: None,
    };
    if insight.search(anything).await?.hits.is_empty() {
        fill::fill(store.as_ref(), events).await?;
    }
    ask::searches(insight.as_ref()).await?;
    ask::figures(insight.as_ref()).await?;
    store.close().await;
    Ok(())
}
