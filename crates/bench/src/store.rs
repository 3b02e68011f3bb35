//! The store by itself: how many durable events it takes a second, beside how often this disk syncs; and a
//! long session for somebody to read.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use patter_protocol::{EventBody, MessageId, ResponseId};
use patter_store::{EventWriter, PostgresOptions, PostgresStore, SessionStore, SqliteStore};
use patter_testkit::store_conformance::sample;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::figures::Figures;
use crate::ground::Ground;
use crate::server::Server;

/// Each has one event on its way at a time: so many wait for the disk together.
const SESSIONS: usize = 400;
/// What a message or a short answer is.
const TEXT_BYTES: usize = 500;
/// The disk alone is asked for so long.
const SYNCING: Duration = Duration::from_millis(500);
/// Of a session that is filled, so many events are written at once.
const BATCH: usize = 500;

/// A store that is open, and where: for a server that comes after.
pub struct Opened {
    store: Arc<dyn SessionStore>,
    /// As `DATABASE_URL` has it.
    pub url: String,
    /// Removed with this.
    folder: TempDir,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("kind", &self.store.kind())
            .finish_non_exhaustive()
    }
}

impl Opened {
    /// The store of such a server, empty.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub async fn open(ground: &Ground<'_>, server: Server) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix_in("store-", ground.work)?;
        let (store, url): (Arc<dyn SessionStore>, _) = if server.has_postgres() {
            let url = ground.database().await?;
            let options = PostgresOptions::new(url.clone().into());
            (Arc::new(PostgresStore::connect(options).await?), url)
        } else {
            let file = folder.path().join("patter.db");
            let url = format!("sqlite:{}", file.display());
            (Arc::new(SqliteStore::open(&file).await?), url)
        };
        Ok(Self { store, url, folder })
    }

    /// How many events a second it takes, in so many seconds.
    ///
    /// # Errors
    ///
    /// If it fails.
    pub async fn measure(&self, seconds: f64) -> anyhow::Result<Figures> {
        let writer = EventWriter::start(Arc::clone(&self.store));
        let text = "a".repeat(TEXT_BYTES);
        let ready = Arc::new(tokio::sync::Barrier::new(SESSIONS + 1));
        let mut sessions = JoinSet::new();
        for _ in 0..SESSIONS {
            let (session_id, claimed) = sample::claimed(&*self.store).await;
            let (writer, ready, text) = (writer.clone(), Arc::clone(&ready), text.clone());
            let time = Duration::from_secs_f64(seconds);
            sessions.spawn(async move {
                ready.wait().await;
                let until = Instant::now() + time;
                let mut stored = 0_u32;
                while Instant::now() < until {
                    let message = sample::message(&text);
                    let append = sample::append(&session_id, claimed.fence, [message]);
                    writer.append(append).await?;
                    stored += 1;
                }
                anyhow::Ok(stored)
            });
        }
        ready.wait().await;
        let began = Instant::now();
        let mut stored = 0.0;
        while let Some(ended) = sessions.join_next().await {
            stored += f64::from(ended??);
        }
        let took = began.elapsed();
        writer.close().await;
        let mut figures = Figures::default();
        figures.set("events_per_s", stored / took.as_secs_f64());
        figures.set("syncs_per_s", syncs_per_second(self.folder.path())?);
        Ok(figures)
    }

    /// Writes a session of so many events, questions and answers, and gives its name.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn fill(&self, events: u32) -> anyhow::Result<String> {
        let (session_id, claimed) = sample::claimed(&*self.store).await;
        let text = "a".repeat(TEXT_BYTES);
        // A message without its answer would get one when the session is opened.
        let turns: Vec<EventBody> = (0..events / 2).flat_map(|_| turn(&text)).collect();
        for batch in turns.chunks(BATCH) {
            let append = sample::append(&session_id, claimed.fence, batch.to_vec());
            let answer = self.store.append(vec![append]).await.pop();
            answer.context("the store does not answer")??;
        }
        let lease = sample::lease(&claimed);
        self.store.release(&sample::owner("test"), &lease).await?;
        Ok(session_id.to_string())
    }

    /// Closes it.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

fn turn(text: &str) -> [EventBody; 2] {
    let message_id = MessageId::generate();
    let mut answer = sample::answer(ResponseId::generate(), text);
    if let EventBody::AiResponse(answer) = &mut answer {
        answer.message_id = message_id.clone();
    }
    [sample::message_with_id(message_id, text), answer]
}

/// How often a second the disk below this folder can be made to keep something.
fn syncs_per_second(folder: &Path) -> anyhow::Result<f64> {
    let mut file = File::create(folder.join("synced"))?;
    let began = Instant::now();
    let mut syncs = 0.0;
    while began.elapsed() < SYNCING {
        file.write_all(&[b'a'; TEXT_BYTES])?;
        file.sync_data()?;
        syncs += 1.0;
    }
    Ok(syncs / began.elapsed().as_secs_f64())
}
