//! Who may ask (nobody, two users, a service that may read and one that may act), and a server that tells them
//! apart.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use aws_lc_rs::digest;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::TestServer;
use crate::support::identity::{ALICE, BASE, BOB, SECRET, claims_with, secret_token};

const READER: &str = "patter_reader0000000000000000000000000000000000000";
const ACTOR: &str = "patter_actor00000000000000000000000000000000000000";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Nobody,
    Alice,
    Bob,
    Reader,
    Actor,
}

impl Who {
    /// The user that this is, if it is one.
    pub(crate) fn user(self) -> Option<&'static str> {
        match self {
            Self::Alice => Some(ALICE),
            Self::Bob => Some(BOB),
            Self::Nobody | Self::Reader | Self::Actor => None,
        }
    }
}

pub(crate) fn token(who: Who) -> Option<String> {
    let of = |user: &str| secret_token(&claims_with(&json!({ "sub": user })));
    match who {
        Who::Nobody => None,
        Who::Alice | Who::Bob => who.user().map(of),
        Who::Reader => Some(READER.to_owned()),
        Who::Actor => Some(ACTOR.to_owned()),
    }
}

fn sha256(token: &str) -> String {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    digest
        .as_ref()
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

async fn server(more: &[(&str, &str)]) -> TestServer {
    let (reader, actor) = (sha256(READER), sha256(ACTOR));
    let mut settings = BASE.to_vec();
    settings.extend([
        ("auth.hs256_secret", SECRET),
        ("tokens.reader.sha256", &reader),
        ("tokens.reader.scope", "read"),
        ("tokens.actor.sha256", &actor),
        ("tokens.actor.scope", "act"),
        ("session.linger", "600"),
    ]);
    settings.extend(more);
    TestServer::start(&settings).await
}

/// A server, and who asks it.
pub(crate) struct World {
    pub(crate) server: TestServer,
    client: Client,
}

impl World {
    pub(crate) async fn new(more: &[(&str, &str)]) -> Self {
        Self {
            server: server(more).await,
            client: Client::new(),
        }
    }

    pub(crate) fn request(&self, who: Who, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, self.server.url(path));
        match token(who) {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn status(&self, request: RequestBuilder) -> u16 {
        request.send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn get(&self, who: Who, path: &str) -> Value {
        let answer = self.request(who, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{who:?} {path}");
        answer.json().await.unwrap()
    }

    /// A new session of somebody, made by the service; `None` belongs to nobody.
    pub(crate) async fn minted(&self, owner: Option<&str>) -> String {
        let body = match owner {
            Some(owner) => json!({ "user_id": owner }),
            None => json!({}),
        };
        let request = self.request(Who::Actor, Method::POST, "/api/sessions");
        let answer = request.json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let answer: Value = answer.json().await.unwrap();
        answer["session_id"].as_str().unwrap().to_owned()
    }

    /// The same, in which something was said.
    pub(crate) async fn spoken(&self, owner: Option<&str>, words: &str) -> String {
        let id = self.minted(owner).await;
        let path = format!("/api/sessions/{id}/messages");
        let request = self.request(Who::Actor, Method::POST, &path);
        let said = request.json(&json!({ "content": words }));
        assert_eq!(self.status(said).await, 200);
        id
    }

    /// A request to open a WebSocket; `query` is empty or begins with `?`.
    pub(crate) fn handshake(&self, who: Who, id: &str, query: &str) -> RequestBuilder {
        self.request(who, Method::GET, &format!("/ws/session/{id}{query}"))
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    /// All that there is of a session.
    pub(crate) async fn everything(&self, id: &str) -> Value {
        self.get(Who::Actor, &format!("/api/session/{id}")).await
    }
}
