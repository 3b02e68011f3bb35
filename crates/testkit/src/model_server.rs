//! A model provider over HTTP that says what a test tells it to.
//!
//! It is a real server on a real port of the loopback, so that a backend in the same process
//! and a whole server binary can both talk to it. It plays one [`Reply`] for each request, cut
//! into pieces, stalled or broken off as the reply says, keeps every request for the test to
//! look at, and notices when a client goes before its answer is over.
//!
//! [`gemini`], [`openai`] and [`openai_responses`] write the bodies of the three wire formats.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

mod connection;
pub mod gemini;
pub mod openai;
pub mod openai_responses;
mod reply;

pub use reply::{Release, Reply};

/// Longest wait for a client to do something, after which the test has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The server; it stops when dropped.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _accepting: JoinSet<()>,
}

/// What a client asked.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// Path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as JSON; null where it was none.
    pub body: Value,
}

/// A request and what became of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What was asked.
    pub request: Arc<RecordedRequest>,
    /// When all of it had come.
    pub came_at: Instant,
    /// When its answer was over and why; `None` while it is played.
    pub ended: Option<(Instant, Ending)>,
}

/// Why an answer was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All of it was played.
    Played,
    /// The reply broke the connection.
    Broken,
    /// The client went first.
    ClientLeft,
}

type Choice = Box<dyn Fn(&RecordedRequest) -> Reply + Send + Sync>;

struct Shared {
    script: Mutex<VecDeque<Reply>>,
    choose: Option<Choice>,
    exchanges: Mutex<Vec<Exchange>>,
    connections: Mutex<usize>,
    /// Told of every request and of every client that leaves.
    changed: Notify,
}

impl ModelServer {
    /// Starts a server that gives these replies, in order, and refuses every request after them.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::serve(replies.into_iter().collect(), None).await
    }

    /// Starts a server whose replies depend on the request.
    pub async fn start_with(
        choose: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::serve(VecDeque::new(), Some(Box::new(choose))).await
    }

    async fn serve(script: VecDeque<Reply>, choose: Option<Choice>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            choose,
            exchanges: Mutex::default(),
            connections: Mutex::default(),
            changed: Notify::new(),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, shared.clone()));
        Self {
            address,
            shared,
            _accepting: accepting,
        }
    }

    /// Where it listens, such as `http://127.0.0.1:40123`, for `GEMINI_BASE_URL`. For
    /// `OPENAI_BASE_URL` append `/v1`, or do not: the path is recorded and otherwise ignored.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a reply to the end of the script.
    pub fn push(&self, reply: Reply) {
        self.shared.script.lock().unwrap().push_back(reply);
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        let exchanges = self.shared.exchanges.lock().unwrap();
        exchanges
            .iter()
            .map(|exchange| RecordedRequest::clone(&exchange.request))
            .collect()
    }

    /// All requests so far with when they came and how they ended, oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.exchanges.lock().unwrap().clone()
    }

    /// The last request.
    ///
    /// # Panics
    ///
    /// If there was none.
    pub fn last_request(&self) -> RecordedRequest {
        self.requests().pop().expect("no request has come")
    }

    /// How many clients went before their answer was over.
    pub fn clients_left(&self) -> usize {
        let exchanges = self.shared.exchanges.lock().unwrap();
        exchanges
            .iter()
            .filter(|exchange| matches!(exchange.ended, Some((_, Ending::ClientLeft))))
            .count()
    }

    /// Waits until a client has gone before its answer was over.
    ///
    /// # Panics
    ///
    /// If none does within ten seconds.
    pub async fn client_left(&self) {
        self.until(
            || self.clients_left() > 0,
            "the client keeps its request open",
        )
        .await;
    }

    /// Waits until a request has come.
    ///
    /// # Panics
    ///
    /// If none does within ten seconds.
    pub async fn request_came(&self) {
        self.until(
            || !self.shared.exchanges.lock().unwrap().is_empty(),
            "no request has come",
        )
        .await;
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    async fn until(&self, holds: impl Fn() -> bool, complaint: &str) {
        let wait = async {
            loop {
                let changed = self.shared.changed.notified();
                if holds() {
                    return;
                }
                changed.await;
            }
        };
        timeout(PATIENCE, wait).await.expect(complaint);
    }
}

impl Shared {
    /// Keeps the request and picks its reply. The number names the exchange.
    fn answer(&self, request: RecordedRequest) -> (usize, Reply) {
        let reply = match &self.choose {
            Some(choose) => choose(&request),
            None => self.script.lock().unwrap().pop_front().unwrap_or_else(|| {
                let message = "the script of the model server is over";
                Reply::json(418, &serde_json::json!({"error": {"message": message}}))
            }),
        };
        let number = {
            let mut exchanges = self.exchanges.lock().unwrap();
            exchanges.push(Exchange {
                request: Arc::new(request),
                came_at: Instant::now(),
                ended: None,
            });
            exchanges.len() - 1
        };
        self.changed.notify_waiters();
        (number, reply)
    }

    fn ended(&self, number: usize, ending: Ending) {
        self.exchanges.lock().unwrap()[number].ended = Some((Instant::now(), ending));
        self.changed.notify_waiters();
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        *shared.connections.lock().unwrap() += 1;
        connections.spawn(connection::serve(stream, shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}
