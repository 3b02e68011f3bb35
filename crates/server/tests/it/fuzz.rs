//! Fuzz targets for what strangers show (tokens, claims, headers) and for what operators write (the
//! configuration). Each is an ordinary test for a second; `cargo xtask fuzz` runs them longer.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared by the targets; one that cannot go on fails"
)]

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bolero::{ValueGenerator, check, one_of, one_value_of, produce};
use patter_server::config::Config;
use patter_testkit::mutated::Mutated;
use reqwest::header::HeaderValue;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::support::TestServer;
use crate::support::identity::{
    ALICE, BASE, EcKey, ISSUER, Provider, SECRET, base64url, claims, now, secret_token, signed,
};
use crate::support::written::{CANARY, Writings, Written};

/// A server that believes the secret and a published key, and who asks it.
struct Asked {
    runtime: Runtime,
    server: Option<TestServer>,
    client: Client,
    key: EcKey,
    _provider: Provider,
}

impl Asked {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let key = EcKey::new("ec");
        let provider = runtime.block_on(Provider::new(&[key.jwk()]));
        let url = provider.url();
        let keys = [("auth.hs256_secret", SECRET), ("auth.jwks_url", &url)];
        let server = runtime.block_on(TestServer::start(&[&BASE[..], &keys].concat()));
        Self {
            runtime,
            server: Some(server),
            client: Client::new(),
            key,
            _provider: provider,
        }
    }

    /// A request of what only those may see who say who they are.
    fn models(&self) -> RequestBuilder {
        self.client.get(self.url("/api/models"))
    }

    fn url(&self, path: &str) -> String {
        self.server.as_ref().unwrap().url(path)
    }

    /// How it is answered; `None` where no client could send the value of the header.
    fn status(&self, request: RequestBuilder, name: &str, value: &[u8]) -> Option<u16> {
        let value = HeaderValue::from_bytes(value).ok()?;
        let answer = request.header(name, value).send();
        Some(self.runtime.block_on(answer).unwrap().status().as_u16())
    }

    fn status_with(&self, token: &str) -> Option<u16> {
        let value = format!("Bearer {token}");
        self.status(self.models(), "authorization", value.as_bytes())
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.runtime.block_on(self.server.take().unwrap().stop());
        }
    }
}

/// Between tokens and headers: the shape of tokens, and the headers `{"alg":"none"}` and `{"alg":"HS256"}`.
const TOKEN_WORDS: &[&str] = &[
    ".",
    "..",
    "=",
    "A",
    "AAAA",
    "eyJhbGciOiJub25lIn0",
    "eyJhbGciOiJIUzI1NiJ9",
    "e30",
    "patter_",
    " ",
    ",",
    "Bearer ",
    "é",
];

/// A token that differs from a good one in anything at all is refused.
#[test]
fn fuzz_tokens() {
    let asked = Asked::start();
    let good = [secret_token(&claims()), asked.key.token(&claims())];
    let asked = AssertUnwindSafe(&asked);
    let tokens = Mutated::new(&good, TOKEN_WORDS);
    check!().with_generator(tokens).for_each(|token| {
        let asked = &asked;
        let Some(status) = asked.status_with(token) else {
            return;
        };
        let is_good = good.iter().any(|it| it == token.trim());
        let expected: &[u16] = if is_good { &[200] } else { &[400, 401, 431] };
        assert!(expected.contains(&status), "{status}");
    });
}

const CLAIMS: &[&str] = &["exp", "nbf", "iat", "iss", "aud", "role", "sub", "x"];

/// What may stand for a claim.
#[derive(Debug, Clone, Copy)]
enum Odd {
    Json(&'static str),
    /// A time, in seconds from now.
    FromNow(i64),
}

const ODD: &[Odd] = &[
    Odd::FromNow(20),
    Odd::FromNow(40),
    Odd::FromNow(400_000_000),
    Odd::FromNow(-20),
    Odd::FromNow(-40),
    Odd::Json(r#"null"#),
    Odd::Json(r#"true"#),
    Odd::Json(r#"0"#),
    Odd::Json(r#"-1"#),
    Odd::Json(r#"0.5"#),
    Odd::Json(r#"1e9"#),
    Odd::Json(r#"1e99"#),
    Odd::Json(r#"4102444800"#),
    Odd::Json(r#"18446744073709551615"#),
    Odd::Json(r#"18446744073709551616"#),
    Odd::Json(r#""""#),
    Odd::Json(r#""4102444800""#),
    Odd::Json(r#""anon""#),
    Odd::Json(r#""service_role""#),
    Odd::Json(r#""authenticated""#),
    Odd::Json(r#""11111111-1111-4111-8111-111111111111""#),
    Odd::Json(r#""{11111111-1111-4111-8111-111111111111}""#),
    Odd::Json(r#""11111111-1111-4111-8111-11111111111A""#),
    Odd::Json(r#""https://project.example/auth/v1/""#),
    Odd::Json(r#""\u0000""#),
    Odd::Json(r#"[]"#),
    Odd::Json(r#"{}"#),
    Odd::Json(r#"["authenticated", "x"]"#),
    Odd::Json(r#"["anon"]"#),
    Odd::Json(r#"[7]"#),
];

impl Odd {
    fn json(self) -> String {
        match self {
            Self::Json(text) => text.to_owned(),
            Self::FromNow(seconds) => (now() + seconds).to_string(),
        }
    }
}

/// The claims of a user with something else for some of them: in place of what is right, or besides.
fn odd_claims(changes: &[(u8, u8, bool)]) -> String {
    let mut all = claims();
    let mut besides = String::new();
    for (claim, odd, is_besides) in changes {
        let claim = CLAIMS[usize::from(*claim) % CLAIMS.len()];
        let json = ODD[usize::from(*odd) % ODD.len()].json();
        match serde_json::from_str(&json) {
            Ok(value) if !is_besides => all[claim] = value,
            _ => besides += &format!("\"{claim}\":{json},"),
        }
    }
    all.to_string().replacen('{', &format!("{{{besides}"), 1)
}

/// Whether claims say what they must, read by the usual reader of JSON. Clocks go on meanwhile.
fn are_good(claims: &str) -> bool {
    let Ok(claims) = serde_json::from_str::<Value>(claims) else {
        return false;
    };
    let time = |name: &str| claims[name].as_u64().map(i64::try_from);
    let is_past = |name| time(name).is_none_or(|it| it.is_ok_and(|it| it <= now() + 31));
    let is_for_us = match &claims["aud"] {
        Value::Array(several) => several.iter().any(|it| it == "authenticated"),
        one => one == "authenticated",
    };
    let subject = claims["sub"].as_str().unwrap_or_default();
    time("exp").is_some_and(|it| it.is_ok_and(|it| it > now() - 31))
        && is_past("nbf")
        && is_past("iat")
        && is_for_us
        && claims["iss"] == ISSUER
        && claims["role"] == "authenticated"
        && Uuid::try_parse(subject).is_ok_and(|it| it.hyphenated().to_string() == subject)
}

/// Claims that somebody has signed who has the secret: whatever they are, they are refused or say all that they
/// must.
#[test]
fn fuzz_claims() {
    let asked = Asked::start();
    let asked = AssertUnwindSafe(&asked);
    let changes = produce::<Vec<(u8, u8, bool)>>().with().len(0..4_usize);
    check!().with_generator(changes).for_each(|changes| {
        let asked = &asked;
        let claims = odd_claims(changes);
        let header = base64url(r#"{"alg":"HS256"}"#);
        let message = format!("{header}.{}", base64url(&claims));
        let token = signed(SECRET.as_bytes(), &message);
        match asked.status_with(&token).unwrap() {
            200 => assert!(are_good(&claims), "{claims}"),
            status => {
                assert!(matches!(status, 401 | 403), "{status}");
                assert!(!changes.is_empty());
            }
        }
    });
}

/// What is no credential is refused, whatever its bytes are: in `Authorization`, and among the protocols that
/// are offered for a WebSocket.
#[test]
fn fuzz_credentials() {
    let asked = Asked::start();
    let asked = AssertUnwindSafe(&asked);
    let starts = [
        "",
        "Bearer ",
        "bearer\t",
        "Basic ",
        "Bearer patter_",
        "patter.v1, base64url.bearer.",
        "base64url.bearer.",
        "patter.v1,,",
    ];
    let text = Mutated::new([ALICE, "patter.v1, base64url.bearer.YWJj"], TOKEN_WORDS);
    let rest = one_of((produce::<Vec<u8>>(), text.map_gen(String::into_bytes)));
    let values = (one_value_of(starts), rest, produce::<bool>());
    check!()
        .with_generator(values)
        .for_each(|(start, rest, is_socket)| {
            let asked = &asked;
            let value = [start.as_bytes(), rest].concat();
            let status = if *is_socket {
                let request = asked.client.get(asked.url("/ws/session/x"));
                let request = request
                    .header("connection", "upgrade")
                    .header("upgrade", "websocket")
                    .header("sec-websocket-version", "13")
                    .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
                asked.status(request, "sec-websocket-protocol", &value)
            } else {
                asked.status(asked.models(), "authorization", &value)
            };
            let is_refused = |it| matches!(it, 400 | 401 | 431);
            assert!(status.is_none_or(is_refused), "{status:?}");
        });
}

/// Whatever is written into files, variables and flags, there is a configuration, or faults that each say where
/// and what; and no secret is in what is shown of either.
#[test]
fn fuzz_configuration() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path().to_owned();
    let writings = Writings::new();
    check!()
        // It takes longer to read a configuration than a token.
        .with_test_time(Duration::from_secs(3))
        .with_generator(&writings)
        .for_each(|written: &Written| {
            let shown = match Config::load(&written.sources(&directory)) {
                Ok(config) => {
                    drop(config.primary());
                    format!("{config:?}{}", config.describe())
                }
                Err(error) => {
                    assert!(!error.faults.is_empty());
                    for fault in &error.faults {
                        assert!(writings.has_place(&fault.subject), "{fault}");
                        assert!(!fault.problem.is_empty());
                    }
                    format!("{error:?}{error}")
                }
            };
            assert!(!shown.contains(CANARY), "{shown}");
        });
}
