//! TLS of the server's own: what it shows, for how long it waits, and that the certificate can be changed while it
//! runs.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use patter_server::config::Sources;
use patter_server::{Certificates, Config};
use rcgen::CertifiedKey;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{RawClient, TestServer, status_of};

/// A certificate for `localhost` in a folder of its own.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> (Self, CertificateDer<'static>) {
        let folder = TempDir::new().unwrap();
        let files = Self { folder };
        let certificate = files.renew();
        (files, certificate)
    }

    /// Puts another one in its place.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let CertifiedKey { cert, signing_key } = made;
        fs::write(self.path("certificate.pem"), cert.pem()).unwrap();
        fs::write(self.path("key.pem"), signing_key.serialize_pem()).unwrap();
        cert.der().clone()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    async fn serve(&self) -> (TestServer, Certificates) {
        let (certificate, key) = (self.path("certificate.pem"), self.path("key.pem"));
        TestServer::with_tls(&[
            ("llm.provider", "demo"),
            ("demo.delay_ms", "0"),
            ("server.tls_certificate", &certificate),
            ("server.tls_key", &key),
        ])
        .await
    }
}

/// A connection of somebody who trusts this certificate, or what kept it from being one.
async fn connect(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn answer_to(mut stream: TlsStream<TcpStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn http_and_websockets_are_spoken_over_tls_and_browsers_are_told_to_stay_with_it() {
    let (files, certificate) = Files::new();
    let (server, _) = files.serve().await;

    let stream = connect(server.address, &certificate).await.unwrap();
    let get = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = answer_to(stream, get).await;
    assert_eq!(status_of(&answer), 200, "{answer}");
    let told = "\r\nstrict-transport-security: max-age=31536000\r\n";
    assert!(answer.contains(told), "{answer}");

    let stream = connect(server.address, &certificate).await.unwrap();
    let url = format!(
        "wss://localhost:{}/ws/session/secure",
        server.address.port()
    );
    let (mut socket, _) = tokio_tungstenite::client_async(&url, stream).await.unwrap();
    let say = r#"{"type":"user_message","id":"m1","content":"Hello."}"#;
    socket.send(Message::text(say)).await.unwrap();
    loop {
        let message = socket.next().await.unwrap().unwrap().to_string();
        if message.contains(r#""type":"ai_response""#) {
            break;
        }
    }
    drop(socket);

    // A page that came without TLS is not the server's own.
    for (origin, status) in [("https", 201), ("http", 403)] {
        let stream = connect(server.address, &certificate).await.unwrap();
        let post = format!(
            "POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}://localhost\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let answer = answer_to(stream, &post).await;
        assert_eq!(status_of(&answer), status, "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_certificate_is_changed_while_the_server_runs_and_a_broken_one_changes_nothing() {
    let (files, old) = Files::new();
    let (server, certificates) = files.serve().await;
    let mut open = connect(server.address, &old).await.unwrap();

    let new = files.renew();
    assert!(connect(server.address, &new).await.is_err(), "not yet read");
    certificates.reload().await.unwrap();
    assert!(connect(server.address, &old).await.is_err());
    connect(server.address, &new).await.unwrap();

    fs::write(files.path("key.pem"), "no key").unwrap();
    assert!(certificates.reload().await.is_err());
    let (others, _) = Files::new();
    fs::copy(others.path("key.pem"), files.path("key.pem")).unwrap();
    let mismatch = certificates.reload().await.unwrap_err();
    assert!(
        mismatch.to_string().contains("cannot be used together"),
        "{mismatch}"
    );
    connect(server.address, &new).await.unwrap();

    // What was open goes on.
    let get = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    open.write_all(get).await.unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status_of(&answer), 200, "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn files_that_have_changed_are_found_without_a_word() {
    let (files, old) = Files::new();
    let (server, _) = files.serve().await;
    let new = files.renew();
    while connect(server.address, &new).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(connect(server.address, &old).await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn who_does_not_speak_tls_or_never_finishes_to_agree_is_left() {
    let (files, certificate) = Files::new();
    let (server, _) = files.serve().await;
    let mut plain = RawClient::connect(server.address).await;
    plain
        .send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    let silent = RawClient::connect(server.address).await;
    let mut half = RawClient::connect(server.address).await;
    half.send(&[22, 3, 1, 2, 0, 1]).await;
    plain.until_left().await;
    silent.until_left().await;
    half.until_left().await;
    connect(server.address, &certificate).await.unwrap();
    server.stop().await;
}

#[test]
fn a_certificate_needs_its_key_and_the_other_way_around() {
    for key in ["server.tls_certificate", "server.tls_key"] {
        let sources = Sources::none()
            .set("llm.provider", "demo")
            .set(key, "file.pem");
        let error = Config::load(&sources).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}
