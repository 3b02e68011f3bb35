//! Which tokens are believed: inputs 47 to 56, 58 to 61 and 63 of the list of attacks, each by its number.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a helper that fails is a failed test"
)]

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::identity::{
    self, ALICE, EcKey, Provider, SECRET, assert_alive, base64url, claims, claims_with, hs256, now,
    secret_token, server_of, server_with_secret, status_with, unsigned,
};
use crate::support::{RawClient, TestServer, status_of};

/// How a request with these lines in its head is answered.
async fn answer_with(server: &TestServer, lines: &str) -> String {
    let request =
        format!("GET /api/models HTTP/1.1\nHost: localhost\nConnection: close\n{lines}\n");
    RawClient::answer_to(server.address, &request).await
}

async fn assert_all(server: &TestServer, expected: u16, tokens: &[(&str, String)]) {
    for (what, token) in tokens {
        assert_eq!(status_with(server, token).await, expected, "{what}");
    }
}

/// Input 47.
#[tokio::test]
async fn what_is_no_bearer_token_is_answered_401_and_asks_for_one() {
    let server = server_with_secret().await;
    let good = secret_token(&claims());
    for lines in [
        String::new(),
        "Authorization: Bearer\n".to_owned(),
        "Authorization: Bearer \n".to_owned(),
        "Authorization: Basic dXNlcjpwYXNz\n".to_owned(),
        format!("Authorization: {good}\n"),
        format!("Authorization: Bearer {good}\nAuthorization: Bearer {good}\n"),
        format!("Authorization: Bearer {good}, Bearer {good}\n"),
    ] {
        let answer = answer_with(&server, &lines).await;
        assert_eq!(status_of(&answer), 401, "{lines}{answer}");
        let answer = answer.to_lowercase();
        assert!(answer.contains("www-authenticate: bearer\r\n"), "{answer}");
        assert!(answer.contains("\"code\":\"unauthorized\""), "{answer}");
    }
    // A scheme is not written in one way only.
    let answer = answer_with(&server, &format!("authorization: bEARER {good}\n")).await;
    assert_eq!(status_of(&answer), 200, "{answer}");
    assert_alive(&server, &good).await;
    server.stop().await;
}

/// Input 48.
#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let server = server_with_secret().await;
    for algorithm in ["none", "None", "nOnE", "NONE", ""] {
        let message = unsigned(&json!({"alg": algorithm, "typ": "JWT"}), &claims());
        let tokens = [
            ("no signature", format!("{message}.")),
            ("some signature", format!("{message}.AAAA")),
        ];
        assert_all(&server, 401, &tokens).await;
    }
    let message = unsigned(&json!({"alg": "HS256"}), &claims());
    assert_eq!(status_with(&server, &format!("{message}.")).await, 401);
    assert_alive(&server, &secret_token(&claims())).await;
    server.stop().await;
}

/// Input 49.
#[tokio::test]
async fn a_public_key_is_no_secret() {
    let (ec, rsa) = (
        EcKey::new("ec"),
        RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
    );
    let provider = Provider::new(&[ec.jwk(), rsa_jwk(&rsa)]).await;
    let url = provider.url();
    let mut both = identity::BASE.to_vec();
    both.extend([
        ("auth.jwks_url", url.as_str()),
        ("auth.hs256_secret", SECRET),
    ]);
    let rsa_der: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
    let rsa_der = rsa_der.as_ref().to_vec();
    let public = [
        ec.public().to_vec(),
        pem(ec.public()),
        ec.jwk().to_string().into_bytes(),
        rsa_der.clone(),
        pem(&rsa_der),
        rsa_jwk(&rsa).to_string().into_bytes(),
    ];
    let only_published = &both[..both.len() - 1];
    for settings in [only_published, &both] {
        let server = TestServer::start(settings).await.watched().await;
        for kid in [json!("ec"), json!("rsa"), Value::Null] {
            for secret in &public {
                let header = json!({"alg": "HS256", "kid": kid});
                let token = hs256(secret, &header, &claims());
                assert_eq!(status_with(&server, &token).await, 401);
            }
        }
        assert_alive(&server, &ec.token(&claims())).await;
        server.stop().await;
    }
}

fn pem(der: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n").into_bytes()
}

fn rsa_jwk(pair: &RsaKeyPair) -> Value {
    let public = pair.public_key();
    let modulus = public.modulus();
    json!({
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "rsa",
        "n": base64url(modulus.big_endian_without_leading_zero()),
        "e": base64url(public.exponent().big_endian_without_leading_zero()),
    })
}

/// Input 50.
#[tokio::test]
async fn each_kind_of_key_is_believed_only_where_it_is_configured() {
    let key = EcKey::new("ec");
    let provider = Provider::new(&[key.jwk()]).await;
    let published = server_of(&provider).await;
    assert_eq!(status_with(&published, &secret_token(&claims())).await, 401);
    let empty = hs256(b"", &json!({"alg": "HS256"}), &claims());
    assert_eq!(status_with(&published, &empty).await, 401);
    assert_eq!(provider.asked(), 0, "nothing has to be fetched for that");
    assert_alive(&published, &key.token(&claims())).await;
    published.stop().await;

    let secret = server_with_secret().await;
    assert_eq!(status_with(&secret, &key.token(&claims())).await, 401);
    assert_alive(&secret, &secret_token(&claims())).await;
    secret.stop().await;
}

/// Input 51.
#[tokio::test]
async fn a_token_says_when_it_expires_in_whole_seconds_and_soon() {
    let server = server_with_secret().await;
    for exp in [
        json!(now() - 31),
        json!(0),
        Value::Null,
        json!("1e99"),
        json!((now() + 60).to_string()),
        json!(-1),
        json!(-(now() + 60)),
        json!((now() + 60) as f64 + 0.5),
        json!(1e99),
        json!(u64::MAX),
        json!([now() + 60]),
        json!(true),
        json!(now() + 11 * 366 * 24 * 3600),
    ] {
        let token = secret_token(&claims_with(&json!({ "exp": exp })));
        assert_eq!(status_with(&server, &token).await, 401, "{exp}");
    }
    let late = secret_token(&claims_with(&json!({ "exp": now() - 20 })));
    assert_eq!(status_with(&server, &late).await, 200, "clocks may differ");
    let twice = unsigned(&json!({"alg": "HS256"}), &claims());
    let (header, _) = twice.split_once('.').unwrap();
    let doubled = format!("{{\"exp\":1,{}", &claims().to_string()[1..]);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let message = format!("{header}.{}", base64url(doubled));
    let signature = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    let token = format!("{message}.{}", base64url(signature));
    assert_eq!(
        status_with(&server, &token).await,
        401,
        "two readers differ"
    );
    assert_alive(&server, &secret_token(&claims())).await;
    server.stop().await;
}

/// Input 52.
#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    let server = server_with_secret().await;
    for claim in ["nbf", "iat"] {
        for (ahead, expected) in [(40, 401), (20, 200)] {
            let token = secret_token(&claims_with(&json!({ claim: now() + ahead })));
            assert_eq!(status_with(&server, &token).await, expected, "{claim}");
        }
        for odd in [json!("soon"), json!(1.5), json!(-1)] {
            let token = secret_token(&claims_with(&json!({ claim: odd })));
            assert_eq!(status_with(&server, &token).await, 401, "{claim} {odd}");
        }
    }
    assert_alive(&server, &secret_token(&claims())).await;
    server.stop().await;
}

/// Inputs 53 and 54.
#[tokio::test]
async fn a_token_is_from_the_right_issuer_and_for_the_right_audience() {
    let server = server_with_secret().await;
    for (changed, expected) in [
        (json!({"aud": "anon"}), 401),
        (json!({"aud": null}), 401),
        (json!({"aud": []}), 401),
        (json!({"aud": {"authenticated": true}}), 401),
        (json!({"aud": "Authenticated"}), 401),
        (json!({"aud": ["authenticated", "x"]}), 200),
        (json!({"iss": "https://other.example/auth/v1"}), 401),
        (json!({"iss": "https://project.example/auth/v1/"}), 401),
        (json!({"iss": "HTTPS://project.example/auth/v1"}), 401),
        (json!({"iss": ["https://project.example/auth/v1"]}), 401),
        (json!({"iss": null}), 401),
        (json!({"role": null}), 401),
        (json!({"role": "admin"}), 401),
    ] {
        let token = secret_token(&claims_with(&changed));
        assert_eq!(status_with(&server, &token).await, expected, "{changed}");
    }
    assert_alive(&server, &secret_token(&claims())).await;
    server.stop().await;
}

/// Input 55: the keys of a Supabase project are valid tokens, and good for ten years.
#[tokio::test]
async fn the_keys_of_a_project_are_no_users() {
    let server = server_with_secret().await;
    for role in ["anon", "service_role"] {
        let legacy = json!({
            "iss": "supabase", "ref": "project", "role": role,
            "iat": now() - 60, "exp": now() + 10 * 365 * 24 * 3600 - 60,
        });
        let with_a_name = claims_with(&json!({ "role": role }));
        let tokens = [
            ("legacy", secret_token(&legacy)),
            ("with a subject", secret_token(&with_a_name)),
        ];
        assert_all(&server, 403, &tokens).await;
    }
    assert_alive(&server, &secret_token(&claims())).await;
    server.stop().await;
}

/// Input 56.
#[tokio::test]
async fn a_user_is_named_by_a_uuid() {
    let server = server_with_secret().await;
    for sub in [
        Value::Null,
        json!(""),
        json!("alice"),
        json!("x".repeat(5_000)),
        json!("x".repeat(10_000)),
        json!("' OR 1=1--"),
        json!(format!("{{{ALICE}}}")),
        json!(ALICE.replace('-', "")),
        json!("ABCDEF00-1111-4111-8111-111111111111"),
        json!(format!("{ALICE}\0")),
        json!(7),
    ] {
        let token = secret_token(&claims_with(&json!({ "sub": sub })));
        assert_eq!(status_with(&server, &token).await, 401, "{sub}");
    }
    assert_alive(&server, &secret_token(&claims())).await;
    server.stop().await;
}

/// The rest of input 56, where any name is allowed.
#[tokio::test]
async fn a_user_may_be_named_by_any_short_text_where_that_is_said() {
    let mut settings = identity::BASE.to_vec();
    settings.extend([
        ("auth.hs256_secret", SECRET),
        ("auth.subject", "any"),
        ("auth.role", "any"),
    ]);
    let server = TestServer::start(&settings).await;
    for (sub, expected) in [
        (json!("auth0|123"), 200),
        (json!("é".repeat(256)), 200),
        (json!("x".repeat(257)), 401),
        (json!(""), 401),
        (json!("a\nb"), 401),
        (json!("a\0"), 401),
    ] {
        let claims = claims_with(&json!({ "sub": sub, "role": null }));
        let status = status_with(&server, &secret_token(&claims)).await;
        assert_eq!(status, expected, "{sub}");
    }
    let service = claims_with(&json!({ "role": "service_role" }));
    assert_eq!(status_with(&server, &secret_token(&service)).await, 403);
    server.stop().await;
}

/// Input 58.
#[tokio::test]
async fn keys_that_a_token_brings_along_are_not_looked_at() {
    let (key, attackers) = (EcKey::new("ec"), EcKey::new("ec"));
    let provider = Provider::new(&[key.jwk()]).await;
    let trap = Provider::new(&[attackers.jwk()]).await;
    let server = server_of(&provider).await;
    for (name, value) in [
        ("jwk", attackers.jwk()),
        ("jku", json!(trap.url())),
        ("x5u", json!(trap.url())),
        ("x5c", json!(["AAAA"])),
    ] {
        for kid in [json!("ec"), json!("other"), Value::Null] {
            let header = json!({"alg": "ES256", "kid": kid, name: value});
            let token = attackers.sign(&header, &claims());
            assert_eq!(status_with(&server, &token).await, 401, "{name} {kid}");
        }
    }
    assert_eq!(trap.asked(), 0);
    assert_eq!(provider.asked(), 1);
    assert_alive(&server, &key.token(&claims())).await;
    server.stop().await;
}

/// Input 59.
#[tokio::test]
async fn what_is_not_quite_a_token_is_refused() {
    let server = server_with_secret().await;
    let good = secret_token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let critical = |names: Value| {
        let header = json!({"alg": "HS256", "crit": names, "b64": true, "exp2": 1});
        hs256(SECRET.as_bytes(), &header, &claims())
    };
    let long = claims_with(&json!({ "email": "x".repeat(7_000) }));
    let tokens = [
        ("crit", critical(json!(["exp2"]))),
        ("crit b64", critical(json!(["b64"]))),
        ("empty crit", critical(json!([]))),
        ("one part", parts[0].to_owned()),
        ("two parts", parts[..2].join(".")),
        ("four parts", format!("{good}.AAAA")),
        ("five parts", format!("{good}.AAAA.AAAA")),
        ("padding", format!("{good}=")),
        (
            "padded header",
            format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        ),
        ("9 KiB", secret_token(&long)),
        ("no JSON", format!("AAAA.{}.{}", parts[1], parts[2])),
        ("nothing", "..".to_owned()),
    ];
    assert_all(&server, 401, &tokens).await;
    assert_alive(&server, &good).await;
    server.stop().await;
}

/// Input 60.
#[tokio::test]
async fn a_signature_of_ecdsa_has_one_form() {
    let key = EcKey::new("ec");
    let provider = Provider::new(&[key.jwk()]).await;
    let server = server_of(&provider).await;
    let message = unsigned(&key.header(), &claims());
    let signed = |signature: &[u8]| format!("{message}.{}", base64url(signature));
    let raw = key.signature(&message);
    let tokens = [
        ("zeros", signed(&[0; 64])),
        ("zero r", signed(&[&[0; 32], &raw[32..]].concat())),
        ("zero s", signed(&[&raw[..32], &[0; 32]].concat())),
        ("DER", signed(&der(&raw))),
        ("a byte less", signed(&raw[..63])),
        ("a byte more", signed(&[&raw[..], &[0]].concat())),
    ];
    assert_all(&server, 401, &tokens).await;
    // The other of the two signatures that the arithmetic allows is accepted, as this library has it:
    // a token is no name of anything, so that it has two forms opens nothing.
    for _ in 0..4 {
        let raw = key.signature(&message);
        let other = [&raw[..32], &negated(&raw[32..])].concat();
        assert_eq!(status_with(&server, &signed(&raw)).await, 200);
        assert_eq!(status_with(&server, &signed(&other)).await, 200);
    }
    assert_alive(&server, &key.token(&claims())).await;
    server.stop().await;
}

fn der(raw: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let mut integer = vec![2, 33, 0];
        integer.extend(bytes);
        integer
    };
    let (r, s) = raw.split_at(32);
    let body = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

/// The order of P-256 less this.
fn negated(s: &[u8]) -> [u8; 32] {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut difference = [0; 32];
    let mut borrow = 0;
    for place in (0..32).rev() {
        let digit = i16::from(ORDER[place]) - i16::from(s[place]) - borrow;
        borrow = i16::from(digit < 0);
        difference[place] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    difference
}

/// Input 61.
#[tokio::test]
async fn no_bit_of_a_signature_may_be_another() {
    let key = EcKey::new("ec");
    let provider = Provider::new(&[key.jwk()]).await;
    let server = server_of(&provider).await;
    let good = key.token(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(signature.len() * 8, 512);
    let client = reqwest::Client::new();
    for bit in 0..512 {
        let mut flipped = signature.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let token = format!("{message}.{}", base64url(&flipped));
        let request = client.get(server.url("/api/models")).bearer_auth(token);
        assert_eq!(request.send().await.unwrap().status(), 401, "bit {bit}");
    }
    drop(client);
    // The last character of 86 has four bits that stand for nothing: they must not be used either.
    let (rest, last) = good.split_at(good.len() - 1);
    for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        if !last.starts_with(other) {
            let token = format!("{rest}{other}");
            assert_eq!(status_with(&server, &token).await, 401, "{other}");
        }
    }
    assert_alive(&server, &good).await;
    server.stop().await;
}

/// Input 63. That none of it is logged is seen from `layers.rs`, which logs paths without their queries.
#[tokio::test]
async fn a_token_in_a_query_is_no_credential() {
    let server = server_with_secret().await;
    let good = secret_token(&claims());
    for name in [
        "token",
        "access_token",
        "apikey",
        "bearer",
        "authorization",
        "ticket",
    ] {
        let target = format!("/api/models?{name}={good}");
        let request = format!("GET {target} HTTP/1.1\nHost: localhost\nConnection: close\n\n");
        let answer = RawClient::answer_to(server.address, &request).await;
        assert_eq!(status_of(&answer), 401, "{name}");
        let request = format!(
            "GET /ws/session/query?{name}={good} HTTP/1.1\nHost: localhost\nConnection: Upgrade, close\n\
             Upgrade: websocket\nSec-WebSocket-Version: 13\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
        );
        let answer = RawClient::answer_to(server.address, &request).await;
        assert_eq!(status_of(&answer), 401, "{name}");
        assert!(!answer.contains(&good), "{answer}");
    }
    assert_alive(&server, &good).await;
    server.stop().await;
}

#[tokio::test]
async fn who_tries_tokens_out_is_counted() {
    let mut settings = identity::BASE.to_vec();
    settings.push(("auth.hs256_secret", SECRET));
    let server = TestServer::with_admin(&settings, None).await;
    for token in ["x", "patter_x"] {
        assert_eq!(status_with(&server, token).await, 401);
    }
    let metrics = identity::client().get(server.admin_url("/metrics")).send();
    let metrics = metrics.await.unwrap().text().await.unwrap();
    let refused = "patter_credentials_refused_total{reason=\"refused\"} 2";
    assert!(metrics.contains(refused), "{metrics}");
    server.stop().await;
}
