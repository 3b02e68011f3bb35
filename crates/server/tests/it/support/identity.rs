//! An identity provider that a test can do anything with: keys of every kind, tokens that say whatever is
//! wanted, and a server that publishes keys and counts who asks.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::TestServer;

pub(crate) const ISSUER: &str = "https://project.example/auth/v1";
pub(crate) const SECRET: &str = "a-shared-secret-of-more-than-32-characters";
pub(crate) const ALICE: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const BOB: &str = "22222222-2222-4222-8222-222222222222";

pub(crate) fn now() -> i64 {
    Utc::now().timestamp()
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What Supabase writes into the token of a user.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "authenticated", "exp": now() + 3600, "iat": now(), "sub": ALICE,
        "role": "authenticated", "aal": "aal1", "email": "alice@example.org", "is_anonymous": false,
    })
}

/// The same with something else in it; `null` takes a claim away.
pub(crate) fn claims_with(changed: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changed.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// What is signed of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// A token signed with a shared secret.
pub(crate) fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    signed(secret, &unsigned(header, claims))
}

/// What is signed, with its signature.
pub(crate) fn signed(secret: &[u8], message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", base64url(signature))
}

/// A token as the legacy secret of a project signs it.
pub(crate) fn secret_token(claims: &Value) -> String {
    hs256(
        SECRET.as_bytes(),
        &json!({"alg": "HS256", "typ": "JWT"}),
        claims,
    )
}

/// A key of ES256.
pub(crate) struct EcKey {
    pub(crate) kid: &'static str,
    pair: EcdsaKeyPair,
}

impl EcKey {
    pub(crate) fn new(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid, pair }
    }

    /// The point, uncompressed: 4, x, y.
    pub(crate) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn jwk(&self) -> Value {
        let (x, y) = self.public()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"],
            "kid": self.kid, "x": base64url(x), "y": base64url(y),
        })
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "ES256", "kid": self.kid, "typ": "JWT"})
    }

    pub(crate) fn signature(&self, message: &str) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes());
        signature.unwrap().as_ref().to_vec()
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        format!("{message}.{}", base64url(self.signature(&message)))
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }
}

/// A server that publishes keys, and whatever else it is told to answer.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Published>>,
    _accepting: JoinSet<()>,
}

struct Published {
    answer: String,
    asked: usize,
}

impl Provider {
    pub(crate) async fn new(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let published = Published {
            answer: String::new(),
            asked: 0,
        };
        let shared = Arc::new(Mutex::new(published));
        let theirs = Arc::clone(&shared);
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let answer = {
                    let mut published = theirs.lock().unwrap();
                    published.asked += 1;
                    published.answer.clone()
                };
                let mut request = [0; 4096];
                let _read = stream.read(&mut request).await;
                let _sent = stream.write_all(answer.as_bytes()).await;
            }
        });
        let provider = Self {
            address,
            shared,
            _accepting: accepting,
        };
        provider.publish(keys);
        provider
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        self.answer("200 OK", &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn answer(&self, status: &str, body: &str) {
        self.shared.lock().unwrap().answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/auth/v1/.well-known/jwks.json", self.address)
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.shared.lock().unwrap().asked
    }
}

/// What a server that believes this issuer is configured with, besides its keys.
pub(crate) const BASE: [(&str, &str); 4] = [
    ("auth.mode", "jwt"),
    ("auth.issuer", ISSUER),
    ("llm.provider", "demo"),
    ("demo.delay_ms", "0"),
];

/// A server that believes what the secret signed.
pub(crate) async fn server_with_secret() -> TestServer {
    let mut settings = BASE.to_vec();
    settings.push(("auth.hs256_secret", SECRET));
    TestServer::start(&settings).await.watched().await
}

/// A server that believes what the provider publishes.
pub(crate) async fn server_of(provider: &Provider) -> TestServer {
    let url = provider.url();
    let mut settings = BASE.to_vec();
    settings.push(("auth.jwks_url", &url));
    TestServer::start(&settings).await.watched().await
}

/// A client that keeps no connection: time is put forward between its requests.
pub(crate) fn client() -> Client {
    Client::builder().pool_max_idle_per_host(0).build().unwrap()
}

/// How a request with this token is answered, on a path that only needs to know who asks.
pub(crate) async fn status_with(server: &TestServer, token: &str) -> u16 {
    let request = client().get(server.url("/api/models")).bearer_auth(token);
    request.send().await.unwrap().status().as_u16()
}

/// After whatever was tried, the server does what it is for, and has nothing left of it.
pub(crate) async fn assert_alive(server: &TestServer, token: &str) {
    let request = client().request(
        Method::POST,
        server.url("/api/sessions/still-alive/messages"),
    );
    let body = json!({ "content": "hello" });
    let answer = request.bearer_auth(token).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["type"], "ai_response");
    server.is_at_rest_again("what was tried").await;
}
