//! Keeps a conversation in a SQLite file and reads it back, offline.
//!
//! `cargo run -p patter-store --example log [FILE]`; without a file, in a temporary folder. Run
//! it twice with the same file: the log goes on where it ended.

use std::sync::Arc;
use std::time::Duration;

use patter_protocol::{EventBody, MessageId, SessionId, SessionStarted, UserMessage};
use patter_store::{
    Append, EventQuery, EventWriter, Lease, NewEvent, NewSession, Owner, SessionStore, SqliteStore,
};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "it is what the example is for")]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = std::env::args_os()
        .nth(1)
        .map_or(folder.path().join("log.db"), Into::into);
    let store: Arc<dyn SessionStore> = Arc::new(SqliteStore::open(path).await?);
    let session_id: SessionId = "example".parse()?;
    let session = NewSession {
        session_id: session_id.clone(),
        user_id: None,
        metadata: Default::default(),
    };
    let owner = Owner {
        id: format!("example {}", std::process::id()),
        lease: Duration::from_secs(15),
        linger: Duration::from_secs(60),
    };
    let claimed = store.claim(session, &owner).await?;

    let said = EventBody::UserMessage(UserMessage {
        id: MessageId::generate(),
        content: format!("I was here before: {}", !claimed.created),
        metadata: Default::default(),
        replaces: None,
    });
    let mut events = vec![NewEvent::now(said)];
    if claimed.created {
        events.insert(
            0,
            NewEvent::now(EventBody::SessionStarted(SessionStarted::default())),
        );
    }
    let writer = EventWriter::start(Arc::clone(&store));
    writer
        .append(Append {
            session_id: session_id.clone(),
            fence: claimed.fence,
            events,
        })
        .await?;

    let all = EventQuery {
        after: 0,
        limit: 1_000,
        types: Vec::new(),
    };
    for stored in store.events(&session_id, all).await? {
        println!("{}", serde_json::to_string(&stored.event)?);
    }
    let lease = Lease {
        session_id,
        fence: claimed.fence,
    };
    store.release(&owner, &lease).await?;
    writer.close().await;
    store.close().await;
    Ok(())
}
