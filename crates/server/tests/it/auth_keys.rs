//! Keys that a provider publishes: inputs 57 and 62 of the list of attacks, and what happens while the
//! provider is away. Time is put forward in steps: nothing waits.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::identity::{
    self, BASE, EcKey, Provider, assert_alive, claims, client, server_of, status_with,
};
use crate::support::{RawClient, TestServer, status_of};

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

const MINUTE: Duration = Duration::from_secs(60);

/// Input 57.
#[tokio::test]
async fn unknown_keys_are_looked_for_once_in_half_a_minute() {
    let (key, unknown) = (EcKey::new("known"), EcKey::new("unknown"));
    let provider = Provider::new(&[key.jwk()]).await;
    let server = server_of(&provider).await;
    let named = |kid: &str| unknown.sign(&json!({"alg": "ES256", "kid": kid}), &claims());
    for kid in ["unknown", "../../x", "", &"k".repeat(5_000)] {
        assert_eq!(status_with(&server, &named(kid)).await, 401);
    }
    // A mebibyte is more than a head may have: it is refused before anybody looks at it.
    let request = format!(
        "GET /api/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        named(&"k".repeat(1 << 20))
    );
    let mut raw = RawClient::connect(server.address).await;
    raw.send(request.as_bytes()).await;
    // It may be closed before all of it was sent, and the refusal be lost with that.
    let answer = raw.read_until_left().await;
    assert!(answer.is_empty() || status_of(&answer) == 431, "{answer}");

    let client = reqwest::Client::new();
    for number in 0..1_000 {
        let token = named(&format!("fresh-{number}"));
        let request = client.get(server.url("/api/models")).bearer_auth(token);
        assert_eq!(request.send().await.unwrap().status(), 401, "{number}");
    }
    drop(client);
    assert_eq!(provider.asked(), 1);
    assert_eq!(status_with(&server, &key.token(&claims())).await, 200);
    pass(Duration::from_secs(31)).await;
    assert_eq!(status_with(&server, &named("fresh")).await, 401);
    assert_eq!(status_with(&server, &named("fresh")).await, 401);
    assert_eq!(provider.asked(), 2);
    assert_alive(&server, &key.token(&claims())).await;
    server.stop().await;
}

#[tokio::test]
async fn many_who_need_the_keys_at_once_fetch_them_once() {
    let key = EcKey::new("known");
    let provider = Provider::new(&[key.jwk()]).await;
    let server = server_of(&provider).await;
    let token = key.token(&claims());
    let all = (0..32).map(|_| status_with(&server, &token));
    let statuses = futures_util::future::join_all(all).await;
    assert_eq!(statuses, [200; 32]);
    assert_eq!(provider.asked(), 1);
    server.stop().await;
}

/// Input 62, by waiting.
#[tokio::test]
async fn a_key_that_is_withdrawn_is_believed_for_ten_minutes_at_the_most() {
    let (old, new) = (EcKey::new("old"), EcKey::new("new"));
    let provider = Provider::new(&[old.jwk(), new.jwk()]).await;
    let server = server_of(&provider).await;
    let (old_token, new_token) = (old.token(&claims()), new.token(&claims()));
    assert_eq!(status_with(&server, &old_token).await, 200);
    assert_eq!(status_with(&server, &new_token).await, 200);
    provider.publish(&[new.jwk()]);
    pass(MINUTE * 9).await;
    assert_eq!(status_with(&server, &old_token).await, 200);
    assert_eq!(provider.asked(), 1);
    pass(MINUTE + Duration::from_secs(1)).await;
    assert_eq!(status_with(&server, &old_token).await, 401);
    assert_eq!(provider.asked(), 2);
    assert_alive(&server, &new_token).await;
    server.stop().await;
}

/// Input 62, by the admin.
#[tokio::test]
async fn a_key_that_is_withdrawn_is_forgotten_at_once_where_that_is_asked_for() {
    let (old, new) = (EcKey::new("old"), EcKey::new("new"));
    let provider = Provider::new(&[old.jwk(), new.jwk()]).await;
    let url = provider.url();
    let mut settings = BASE.to_vec();
    settings.push(("auth.jwks_url", &url));
    let server = TestServer::with_admin(&settings, None).await;
    let old_token = old.token(&claims());
    assert_eq!(status_with(&server, &old_token).await, 200);
    provider.publish(&[new.jwk()]);
    let request = client().post(server.admin_url("/admin/flush-keys"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(status_with(&server, &old_token).await, 401);
    assert_alive(&server, &new.token(&claims())).await;
    server.stop().await;
}

#[tokio::test]
async fn a_new_key_is_found_when_a_token_names_it() {
    let (old, new) = (EcKey::new("old"), EcKey::new("new"));
    let provider = Provider::new(&[old.jwk()]).await;
    let server = server_of(&provider).await;
    assert_eq!(status_with(&server, &old.token(&claims())).await, 200);
    provider.publish(&[old.jwk(), new.jwk()]);
    pass(Duration::from_secs(31)).await;
    assert_eq!(status_with(&server, &new.token(&claims())).await, 200);
    assert_eq!(status_with(&server, &old.token(&claims())).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn while_the_provider_is_away_its_last_keys_are_good_for_a_day() {
    let key = EcKey::new("known");
    let provider = Provider::new(&[key.jwk()]).await;
    let server = server_of(&provider).await;
    let token = key.token(&claims());
    assert_eq!(status_with(&server, &token).await, 200);
    for (status, body) in [
        ("503 Service Unavailable", "{}".to_owned()),
        ("200 OK", "<html>".to_owned()),
        ("200 OK", json!({ "keys": "x".repeat(70_000) }).to_string()),
        (
            "302 Found",
            json!({ "keys": [EcKey::new("known").jwk()] }).to_string(),
        ),
    ] {
        provider.answer(status, &body);
        pass(MINUTE * 11).await;
        let asked = provider.asked();
        assert_eq!(status_with(&server, &token).await, 200, "{status}");
        assert_eq!(status_with(&server, &token).await, 200, "{status}");
        assert_eq!(provider.asked(), asked + 1, "{status}");
    }
    pass(MINUTE * 60 * 24).await;
    let request = client().get(server.url("/api/models")).bearer_auth(&token);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "keys_unavailable");
    provider.publish(&[key.jwk()]);
    pass(MINUTE).await;
    assert_alive(&server, &token).await;
    server.stop().await;
}

#[tokio::test]
async fn keys_for_something_else_are_not_used_and_do_no_harm() {
    let key = EcKey::new("good");
    let changed = |name: &str, value: Value| {
        let mut jwk = key.jwk();
        jwk["kid"] = json!(name);
        jwk[name] = value;
        jwk
    };
    let odd = [
        changed("use", json!("enc")),
        changed("alg", json!("ES384")),
        changed("crv", json!("P-384")),
        changed("kty", json!("unheard-of")),
        changed("x", json!("!!!")),
        json!({"kty": "oct", "kid": "oct", "alg": "HS256", "k": "c2VjcmV0"}),
        json!("no key"),
        key.jwk(),
    ];
    let provider = Provider::new(&odd).await;
    let server = server_of(&provider).await;
    for kid in ["use", "alg", "crv", "kty", "x", "oct"] {
        let token = key.sign(&json!({"alg": "ES256", "kid": kid}), &claims());
        assert_eq!(status_with(&server, &token).await, 401, "{kid}");
    }
    let secret = identity::hs256(b"secret", &json!({"alg": "HS256", "kid": "oct"}), &claims());
    assert_eq!(status_with(&server, &secret).await, 401);
    let unnamed = key.sign(&json!({"alg": "ES256"}), &claims());
    assert_eq!(
        status_with(&server, &unnamed).await,
        200,
        "there is one key"
    );
    assert_alive(&server, &key.token(&claims())).await;
    server.stop().await;
}

/// A server that was just started, and whose provider cannot be reached, says so and believes nobody.
#[tokio::test]
async fn without_keys_nobody_is_believed() {
    let key = EcKey::new("known");
    let provider = Provider::new(&[]).await;
    provider.answer("500 Internal Server Error", "");
    let server = server_of(&provider).await;
    assert_eq!(status_with(&server, &key.token(&claims())).await, 503);
    assert_eq!(status_with(&server, &key.token(&claims())).await, 503);
    assert_eq!(provider.asked(), 1);
    let request = "GET /api/models HTTP/1.1\nHost: localhost\nConnection: close\n\n";
    let answer = RawClient::answer_to(server.address, request).await;
    assert_eq!(status_of(&answer), 401);
    server.stop().await;
}
