//! What the tests share: a server in the test's own process, and raw sockets for what no client would send.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

pub(crate) mod api;
pub(crate) mod callers;
pub(crate) mod collector;
pub(crate) mod configured;
pub(crate) mod exposition;
mod footprint;
pub(crate) mod identity;
pub(crate) mod oracle;
pub(crate) mod story;
pub(crate) mod written;

use std::net::SocketAddr;
use std::time::Duration;

use footprint::Footprint;
use patter_server::config::Sources;
use patter_server::telemetry::LogLevel;
use patter_server::{Certificates, Config, Server, ServerError, Shutdown};
use patter_testkit::model_server::ModelServer;
use patter_testkit::ws_client::WsClient;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// Longest wait for anything, after which the test has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running server with an embedded store in a folder of its own.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    admin_address: Option<SocketAddr>,
    shutdown: Shutdown,
    running: JoinSet<Result<(), ServerError>>,
    /// What it has while nobody asks for anything, if that is looked at.
    at_rest: Option<Footprint>,
    _directory: TempDir,
}

impl TestServer {
    /// A server with the demo model, which does not dawdle.
    pub(crate) async fn demo() -> Self {
        Self::start(&[("llm.provider", "demo"), ("demo.delay_ms", "0")]).await
    }

    /// The same, with this configuration besides, [watched](Self::watched).
    pub(crate) async fn watched_demo(settings: &[(&str, &str)]) -> Self {
        let usual = [
            ("llm.provider", "demo"),
            ("demo.delay_ms", "0"),
            ("session.linger", "0.01"),
        ];
        Self::start(&[&usual, settings].concat())
            .await
            .watched()
            .await
    }

    /// From now on each turn ends with a look at what is running and open: no more than now, when nobody has asked
    /// for anything.
    pub(crate) async fn watched(mut self) -> Self {
        self.at_rest = Some(self.settled().await);
        self
    }

    /// A server whose model is the fake one.
    pub(crate) async fn with_model(model: &ModelServer) -> Self {
        let base_url = format!("{}/v1", model.base_url());
        Self::start(&[("llm.provider", "openai"), ("openai.base_url", &base_url)]).await
    }

    /// A server with this configuration.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_as(settings, |server| (server, None)).await
    }

    /// A server with this configuration and an admin port, by which this logger is changed.
    pub(crate) async fn with_admin(settings: &[(&str, &str)], log_level: Option<LogLevel>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let with_admin = |server: Server| (server.admin(listener, log_level), Some(address));
        Self::start_as(settings, with_admin).await
    }

    /// A server with a certificate, and what reads that again.
    pub(crate) async fn with_tls(settings: &[(&str, &str)]) -> (Self, Certificates) {
        let mut certificates = None;
        let server = Self::start_as(settings, |server| {
            certificates = server.certificates();
            (server, None)
        });
        let server = server.await;
        (server, certificates.unwrap())
    }

    async fn start_as(
        settings: &[(&str, &str)],
        finish: impl FnOnce(Server) -> (Server, Option<SocketAddr>),
    ) -> Self {
        let directory = TempDir::new().unwrap();
        let mut sources = Sources::none()
            .set(
                "store.url",
                directory.path().join("patter.db").to_str().unwrap(),
            )
            .set("session.linger", "0.2");
        for (key, value) in settings {
            sources = sources.set(*key, *value);
        }
        let server = Server::from_config(Config::load(&sources).unwrap())
            .await
            .unwrap();
        let (server, admin_address) = finish(server);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::default();
        let mut running = JoinSet::new();
        running.spawn(server.run(listener, shutdown.clone()));
        Self {
            address,
            admin_address,
            shutdown,
            running,
            at_rest: None,
            _directory: directory,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn admin_address(&self) -> SocketAddr {
        self.admin_address.unwrap()
    }

    /// The URL of a path at the admin port.
    pub(crate) fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin_address())
    }

    /// Connects to a session; `rest` is its id, and a query if there is one.
    pub(crate) async fn connect(&self, rest: &str) -> WsClient {
        WsClient::connect(&format!("ws://{}/ws/session/{rest}", self.address)).await
    }

    /// Takes a turn in a session of its own: whatever was thrown at the server, it goes on.
    pub(crate) async fn takes_a_turn(&self, after: &str) {
        let mut client = self.connect(&Uuid::now_v7().to_string()).await;
        client.say("turn", "Hello.").await;
        let answer = client.expect("ai_response").await;
        assert_eq!(answer["finish_reason"], "stop", "after {after}");
        client.close().await;
        self.is_at_rest_again(after).await;
    }

    /// Waits until it has no more running and open than at rest, where that is looked at.
    pub(crate) async fn is_at_rest_again(&self, after: &str) {
        let Some(at_rest) = self.at_rest else {
            return;
        };
        let deadline = Instant::now() + PATIENCE;
        while !self.footprint().is_within(at_rest) {
            let left = self.footprint();
            assert!(
                Instant::now() < deadline,
                "after {after}: {left:?}, not {at_rest:?}"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn footprint(&self) -> Footprint {
        Footprint::at(self.address.port())
    }

    /// What it has when nothing changes any more.
    async fn settled(&self) -> Footprint {
        let mut last = self.footprint();
        loop {
            sleep(Duration::from_millis(100)).await;
            let now = self.footprint();
            if now == last {
                return now;
            }
            last = now;
        }
    }

    /// Begins to drain.
    pub(crate) fn begin_shutdown(&self) {
        self.shutdown.drain();
    }

    /// Drains to the end.
    pub(crate) async fn stop(self) {
        self.shutdown.drain();
        self.stops_by_itself().await;
    }

    /// Waits until the server has drained, for whichever reason.
    pub(crate) async fn stops_by_itself(mut self) {
        let stopped = timeout(Duration::from_secs(40), self.running.join_next()).await;
        stopped
            .expect("the server does not stop")
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

/// A connection that sends any bytes at all.
pub(crate) struct RawClient {
    stream: TcpStream,
}

/// Opcodes of [RFC 6455, section 5.2](https://www.rfc-editor.org/rfc/rfc6455#section-5.2), with the
/// bit that says that the message ends here.
pub(crate) const FINAL_TEXT: u8 = 0x81;
pub(crate) const FINAL_PING: u8 = 0x89;
const CLOSE: u8 = 0x88;

impl RawClient {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
        }
    }

    /// The answer to a request whose lines end as a person would write them; the server must close
    /// after it.
    pub(crate) async fn answer_to(address: SocketAddr, request: &str) -> String {
        let mut client = Self::connect(address).await;
        client.send(request.replace('\n', "\r\n").as_bytes()).await;
        client.answer().await
    }

    /// A WebSocket whose handshake is done.
    pub(crate) async fn upgraded(address: SocketAddr, session_id: &str) -> Self {
        Self::upgraded_with(address, session_id, "").await.0
    }

    /// The same with more headers, each with its line end; and the head of the answer.
    pub(crate) async fn upgraded_with(
        address: SocketAddr,
        session_id: &str,
        headers: &str,
    ) -> (Self, String) {
        let mut client = Self::connect(address).await;
        let request = format!(
            "GET /ws/session/{session_id} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        client.send(request.as_bytes()).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        (client, head)
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish_sending(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Waits until the server has ended the connection, by whichever way.
    pub(crate) async fn until_left(self) {
        self.read_until_left().await;
    }

    /// All that comes until then.
    pub(crate) async fn read_until_left(mut self) -> String {
        let mut read = Vec::new();
        let reading = async { while matches!(self.stream.read_buf(&mut read).await, Ok(1..)) {} };
        let left = timeout(PATIENCE, reading).await;
        left.expect("the server does not close");
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Sends bytes; the server may have closed meanwhile.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _closed = timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .unwrap();
    }

    /// All that the server sends until it closes, as text.
    pub(crate) async fn answer(mut self) -> String {
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut answer)).await;
        read.expect("the server does not close").unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The code of the close frame, which must come.
    pub(crate) async fn close_code(mut self) -> u16 {
        let code = timeout(PATIENCE, self.read_close_code()).await;
        code.expect("the server does not close")
    }

    async fn read_close_code(&mut self) -> u16 {
        loop {
            let opcode = self.stream.read_u8().await.unwrap();
            let length = match self.stream.read_u8().await.unwrap() {
                126 => u64::from(self.stream.read_u16().await.unwrap()),
                127 => self.stream.read_u64().await.unwrap(),
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await.unwrap();
            if opcode == CLOSE {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }
}

/// The status of an answer as text.
pub(crate) fn status_of(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A frame as a client sends it: masked, with a mask of zeros.
pub(crate) fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first_byte];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
        medium @ 126..65536 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(medium).unwrap().to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend(u64::try_from(long).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}
