//! Against servers that the tests run, on addresses of this machine, some of which count as public.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::dns::{Addrs, Name, Resolving};
use reqwest::header::AUTHORIZATION;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

/// In these tests, of all addresses of this machine, this one counts as public.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// What a server does with a connection, once it has read the head of a request.
#[derive(Clone)]
enum Act {
    /// Sends this and closes.
    Say(Vec<u8>),
    /// Sends a head, and then this again and again.
    Repeat(Vec<u8>, Duration),
    /// Sends this again and again.
    Flood(Vec<u8>),
}

/// A server that does the same with everybody, and remembers what it was asked.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start(host: Ipv4Addr, port: u16, act: Act) -> Self {
        let listener = TcpListener::bind((host, port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (mut tasks, log) = (JoinSet::new(), Arc::clone(&asked));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let (act, log) = (act.clone(), Arc::clone(&log));
                connections.spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => break,
                        }
                    }
                    log.lock().unwrap().push(String::from_utf8(head).unwrap());
                    match act {
                        Act::Say(bytes) => {
                            let _gone = stream.write_all(&bytes).await;
                        }
                        Act::Flood(bytes) => while stream.write_all(&bytes).await.is_ok() {},
                        Act::Repeat(bytes, pause) => {
                            let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
                            let mut sent = stream.write_all(head).await;
                            while sent.is_ok() {
                                tokio::time::sleep(pause).await;
                                sent = stream.write_all(&bytes).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            asked,
            _tasks: tasks,
        }
    }

    async fn saying(bytes: Vec<u8>) -> Self {
        Self::start(HOME, 0, Act::Say(bytes)).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn redirect(status: u16, target: &str) -> Vec<u8> {
    answer(&format!("{status} Elsewhere\r\nlocation: {target}"), b"")
}

fn request(url: impl Into<String>) -> WebRequest {
    WebRequest {
        method: Method::GET,
        url: url.into(),
        headers: HeaderMap::new(),
        body: None,
    }
}

/// A client that trusts these servers.
fn trusting(servers: &[&Server], limits: WebLimits) -> WebClient {
    let rules = WebRules {
        trusted: servers.iter().map(|it| it.address.to_string()).collect(),
        ..WebRules::default()
    };
    WebClient::new(rules, limits).unwrap()
}

async fn ask(server: &Server, limits: WebLimits) -> Result<WebAnswer, ToolError> {
    let url = format!("http://{}/?key=geheim", server.address);
    let answered = trusting(&[server], limits).fetch(request(url)).await;
    assert!(!format!("{answered:?}").contains("geheim"));
    answered
}

/// Input 115.
#[tokio::test]
async fn a_redirect_that_leads_home_is_not_followed() {
    let home = Server::saying(answer("200 OK", b"secret")).await;
    let port = home.address.port();
    for target in [
        format!("http://127.0.0.1:{port}/"),
        format!("//localhost:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[::ffff:7f00:1]/".to_owned(),
        "http://2130706433/".to_owned(),
        "http://metadata.google.internal/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://user:pw@example.org/".to_owned(),
        "http://example.org:22/".to_owned(),
        "http://".to_owned(),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let first = Server::saying(redirect(status, &target)).await;
            // The port is open, so that it is the address that is in the way.
            let rules = WebRules {
                ports: vec![80, 443, port],
                trusted: vec![first.address.to_string()],
                ..WebRules::default()
            };
            let client = WebClient::new(rules, WebLimits::default()).unwrap();
            let asking = request(format!("http://{}/", first.address));
            let refused = client.fetch(asking).await.unwrap_err();
            assert!(
                matches!(refused, ToolError::BlockedAddress(_)),
                "{target}: {refused:?}"
            );
        }
    }
    assert!(home.asked().is_empty());
}

/// Input 115.
#[tokio::test]
async fn redirects_end() {
    let round = Server::saying(redirect(302, "/again")).await;
    let refused = ask(&round, WebLimits::default()).await.unwrap_err();
    assert!(
        refused.to_string().contains("more than 3 redirects"),
        "{refused}"
    );
    assert_eq!(round.asked().len(), 4);
}

#[tokio::test]
async fn what_is_for_one_origin_is_not_sent_to_another() {
    let other = Server::saying(answer("200 OK", b"fine")).await;
    let target = format!("http://{}/b", other.address);
    let first = Server::saying(redirect(302, &target)).await;
    let mut asking = request(format!("http://{}/a", first.address));
    asking.method = Method::POST;
    asking.body = Some(Bytes::from_static(b"{}"));
    let key = HeaderValue::from_static("Bearer geheim");
    asking.headers.insert(AUTHORIZATION, key);
    let client = trusting(&[&first, &other], WebLimits::default());
    assert_eq!(client.fetch(asking).await.unwrap().body, b"fine");
    assert!(first.asked()[0].starts_with("POST /a") && first.asked()[0].contains("geheim"));
    assert!(other.asked()[0].starts_with("GET /b") && !other.asked()[0].contains("geheim"));

    let first = Server::saying(redirect(307, &target)).await;
    let mut asking = request(format!("http://{}/a", first.address));
    asking.method = Method::POST;
    asking.body = Some(Bytes::from_static(b"{}"));
    let client = trusting(&[&first, &other], WebLimits::default());
    let refused = client.fetch(asking).await.unwrap_err();
    assert!(
        matches!(refused, ToolError::BlockedAddress(_)),
        "{refused:?}"
    );
    assert_eq!(other.asked().len(), 1);
}

/// Gives these answers one after the other, and counts how often it was asked.
struct Scripted(Mutex<VecDeque<Vec<Ipv4Addr>>>);

impl Resolve for Scripted {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses = self.0.lock().unwrap().pop_front().unwrap_or_default();
        let addresses = addresses.into_iter().map(|it| SocketAddr::from((it, 0)));
        Box::pin(async move { Ok(Box::new(addresses) as Addrs) })
    }
}

/// Asks `name.example`, of which a resolver says this.
async fn resolved(port: u16, says: &[&[Ipv4Addr]]) -> (Result<WebAnswer, ToolError>, usize) {
    let says = says.iter().map(|it| it.to_vec()).collect();
    let resolver = Arc::new(Scripted(Mutex::new(says)));
    let rules = WebRules {
        ports: vec![port],
        ..WebRules::default()
    };
    let is_public = |address: IpAddr| address == IpAddr::V4(PUBLIC);
    let client = WebClient::resolving(rules, WebLimits::default(), resolver.clone(), is_public);
    let url = format!("http://name.example:{port}/");
    let answered = client.unwrap().fetch(request(url)).await;
    let left = resolver.0.lock().unwrap().len();
    (answered, left)
}

/// Input 113.
#[tokio::test]
async fn a_name_that_leads_home_is_blocked_whatever_else_it_leads_to() {
    let home = Server::saying(answer("200 OK", b"secret")).await;
    let port = home.address.port();
    let public = Server::start(PUBLIC, port, Act::Say(answer("200 OK", b"public"))).await;
    for addresses in [&[HOME][..], &[PUBLIC, HOME], &[HOME, PUBLIC]] {
        let (answered, _) = resolved(port, &[addresses]).await;
        let refused = answered.unwrap_err();
        assert!(
            matches!(&refused, ToolError::BlockedAddress(_)),
            "{refused:?}"
        );
    }
    assert!(home.asked().is_empty() && public.asked().is_empty());
}

/// Input 114.
#[tokio::test]
async fn a_name_is_resolved_once_and_what_was_checked_is_what_is_connected_to() {
    let home = Server::saying(answer("200 OK", b"secret")).await;
    let port = home.address.port();
    let _public = Server::start(PUBLIC, port, Act::Say(answer("200 OK", b"public"))).await;
    let (answered, left) = resolved(port, &[&[PUBLIC], &[HOME]]).await;
    assert_eq!(answered.unwrap().body, b"public");
    assert_eq!(left, 1, "the second answer was never asked for");
    assert!(home.asked().is_empty());
}

/// Input 120.
#[tokio::test]
async fn an_answer_is_cut_off_at_its_limits() {
    let limits = WebLimits {
        timeout: Duration::from_millis(500),
        max_received_bytes: 100_000,
        max_decoded_bytes: 200_000,
        ..WebLimits::default()
    };
    let endless = Act::Repeat(vec![b'x'; 10_000], Duration::ZERO);
    let endless = Server::start(HOME, 0, endless).await;
    let refused = ask(&endless, limits).await.unwrap_err();
    assert!(
        matches!(refused, ToolError::TooLarge { limit: 100_000, .. }),
        "{refused:?}"
    );

    let slow = Act::Repeat(vec![b'x'], Duration::from_millis(50));
    let slow = Server::start(HOME, 0, slow).await;
    let refused = ask(&slow, limits).await.unwrap_err();
    assert!(matches!(refused, ToolError::Timeout { .. }), "{refused:?}");

    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0; 50_000_000]).unwrap();
    let bomb = answer("200 OK\r\ncontent-encoding: gzip", &bomb.finish().unwrap());
    let bomb = Server::saying(bomb).await;
    match ask(&bomb, limits).await.unwrap_err() {
        // What is decoded at once has 4 KiB.
        ToolError::TooLarge { bytes, limit } => assert!(limit == 200_000 && bytes < 5_000_000),
        other => panic!("{other:?}"),
    }
}

/// Input 120.
#[tokio::test]
async fn an_encoded_answer_is_decoded_and_a_strange_or_broken_one_fails() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"hello").unwrap();
    let packed = packed.finish().unwrap();
    let gzip = "200 OK\r\ncontent-encoding: gzip";
    let fine = Server::saying(answer(gzip, &packed)).await;
    assert_eq!(
        ask(&fine, WebLimits::default()).await.unwrap().body,
        b"hello"
    );
    for bytes in [
        answer(gzip, &packed[..packed.len() - 4]),
        answer(gzip, b"not gzip"),
        answer("200 OK\r\ncontent-encoding: br", b"x"),
        answer("200 OK\r\ncontent-encoding: gzip, gzip", &packed),
        answer("200 OK\r\ncontent-length: 100", b"short"),
        b"no HTTP at all\r\n\r\n".to_vec(),
        Vec::new(),
    ] {
        let broken = Server::saying(bytes).await;
        let refused = ask(&broken, WebLimits::default()).await.unwrap_err();
        assert!(matches!(refused, ToolError::Failed(_)), "{refused:?}");
    }
}

/// Input 120.
#[tokio::test]
async fn an_answer_that_is_no_sound_http_fails() {
    let many: String = (0..10_000).map(|n| format!("x-{n}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(2_000_000));
    for (what, bytes) in [
        (
            "10 000 headers",
            answer(&format!("200 OK\r\n{}", many.trim_end()), b"body"),
        ),
        (
            "a header of 2 MB",
            answer(&format!("200 OK\r\n{}", long.trim_end()), b"body"),
        ),
        ("HTTP/0.9", b"<html>just a body</html>".to_vec()),
        (
            "too short",
            answer("200 OK\r\ncontent-length: 100", b"body"),
        ),
        (
            "two lengths",
            answer("200 OK\r\ncontent-length: 4\r\ncontent-length: 5", b"body"),
        ),
        (
            "a broken chunk",
            answer("200 OK\r\ntransfer-encoding: chunked", b"zz\r\nbody\r\n"),
        ),
    ] {
        let server = Server::saying(bytes).await;
        let error = ask(&server, WebLimits::default()).await.unwrap_err();
        assert!(matches!(error, ToolError::Failed(_)), "{what}: {error:?}");
    }
}

/// Input 120.
#[tokio::test]
async fn an_answer_that_only_ever_announces_itself_is_given_up() {
    let flood = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".to_vec();
    let server = Server::start(HOME, 0, Act::Flood(flood)).await;
    let limits = WebLimits {
        timeout: Duration::from_millis(300),
        ..WebLimits::default()
    };
    let error = ask(&server, limits).await.unwrap_err();
    assert!(matches!(error, ToolError::Timeout { .. }), "{error:?}");
}
