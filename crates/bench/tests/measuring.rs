//! The measuring is right: what is known beforehand is found.
#![expect(
    clippy::unwrap_used,
    reason = "a scene that does not stand fails the test"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::Uri;
use patter_bench::figures::Figures;
use patter_bench::floor::{self, Relay};
use patter_bench::load::{Client, Tally};
use patter_bench::upstream::Ask;
use patter_bench::{clock, upstream};
use patter_faults::proxy::{Mode, Proxy};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

/// Fast enough not to be waited for, and slow enough that a token is through before the next one comes.
const PACED: Ask = Ask {
    tokens: 20,
    rate: 40,
};

/// A provider, the floors before it, and where they are.
struct Scene {
    direct: SocketAddr,
    floor: SocketAddr,
    translator: SocketAddr,
    _serving: JoinSet<anyhow::Result<()>>,
}

impl Scene {
    async fn start() -> Self {
        let (provider, provider_at) = listener().await;
        let (direct, direct_at) = listener().await;
        let (relay, relay_at) = listener().await;
        let (translator, translator_at) = listener().await;
        let url: Uri = format!("http://{provider_at}/v1/chat/completions")
            .parse()
            .unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(upstream::serve(provider, direct));
        serving.spawn(floor::serve(relay, url.clone(), Relay::AsItComes));
        serving.spawn(floor::serve(translator, url, Relay::Translated));
        Self {
            direct: direct_at,
            floor: relay_at,
            translator: translator_at,
            _serving: serving,
        }
    }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn connect(server: SocketAddr) -> Client {
    Client::connect(server, Ipv4Addr::LOCALHOST, "s-1", "")
        .await
        .unwrap()
}

/// Asks, and gives what was counted, with the latencies.
async fn measured(server: SocketAddr, ask: Ask) -> (u64, Figures) {
    let tally = Tally::new().unwrap();
    tally.measure(true);
    let mut client = connect(server).await;
    client.ask(ask).await.unwrap();
    client.answer(ask, &tally).await.unwrap();
    let mut figures = Figures::default();
    tally.tell_latencies(&mut figures);
    (tally.tokens(), figures)
}

#[tokio::test]
async fn every_token_is_counted_however_many_come_at_once() {
    let scene = Scene::start().await;
    for rate in [0, 2_000] {
        let ask = Ask { tokens: 997, rate };
        assert_eq!(measured(scene.direct, ask).await.0, 997);
        assert_eq!(measured(scene.floor, ask).await.0, 997);
        assert_eq!(measured(scene.translator, ask).await.0, 997);
    }
}

#[tokio::test]
async fn a_relay_that_is_20_ms_late_is_found_to_be_20_ms_late() {
    let scene = Scene::start().await;
    let relay = Proxy::start(scene.direct).await.unwrap();
    let (_, figures) = measured(relay.address(), PACED).await;
    let before = figures.get("latency_p50_us").unwrap();
    relay.set(Mode::Delay(Duration::from_millis(20)));
    let (_, figures) = measured(relay.address(), PACED).await;
    let after = figures.get("latency_p50_us").unwrap();
    // It is never early. How late the machine makes it besides is the machine's affair, within reason.
    assert!((20_000.0..1_000_000.0).contains(&after), "{after} µs");
    assert!(
        before < after,
        "{before} µs without delay, {after} µs with it"
    );
}

#[tokio::test]
async fn an_answer_of_which_a_token_is_lost_is_no_answer() {
    let (listener, address) = listener().await;
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        for frame in [
            r#"{"type":"session_ready"}"#.to_owned(),
            format!(r#"{{"type":"token","content":"{}"}}"#, stamps(2)),
            format!(
                r#"{{"seq":2,"type":"ai_response","content":"{}"}}"#,
                stamps(3)
            ),
        ] {
            socket.send(Message::text(frame)).await.unwrap();
        }
        while let Some(Ok(_)) = socket.next().await {}
    });
    let ask = Ask { tokens: 3, rate: 0 };
    let mut client = connect(address).await;
    client.ask(ask).await.unwrap();
    let error = client.answer(ask, &Tally::new().unwrap()).await;
    assert_eq!(error.unwrap_err().to_string(), "2 tokens came of 3");
}

fn stamps(number: usize) -> String {
    let mut text = Vec::new();
    for _ in 0..number {
        clock::stamp(&mut text, clock::now_ns());
    }
    String::from_utf8(text).unwrap()
}
