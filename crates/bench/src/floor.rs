//! The floor: a relay from a provider to a WebSocket that neither parses nor stores. What the body of
//! the answer brings at once becomes a frame as it is. No server that does something can be cheaper. And, with
//! the same libraries, one that does parse: what a server with a protocol of its own costs before it does anything.

mod translation;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

/// What stands first on a connection, as the protocol wants it.
pub(crate) const READY: &str = r#"{"type":"session_ready"}"#;

const READ_BUFFER_BYTES: usize = 4 * 1024;
/// So many frames wait for a socket.
const FRAMES: usize = 64;

type Provider = Client<HttpConnector, Full<Bytes>>;
type Socket = WebSocketStream<TcpStream>;

/// What a relay does with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relay {
    /// It goes on as it comes.
    AsItComes,
    /// It is read, and told in events.
    Translated,
}

/// Relays the connections of the listener until it is dropped.
///
/// # Errors
///
/// If the port does not take connections any more.
pub async fn serve(listener: TcpListener, provider: Uri, how: Relay) -> anyhow::Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(relay(stream, client.clone(), provider.clone(), how));
            }
            Some(_over) = connections.join_next() => {}
        }
    }
}

async fn relay(
    stream: TcpStream,
    client: Provider,
    provider: Uri,
    how: Relay,
) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    // A user says little; what is sent goes out at once.
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    socket.send(Message::text(READY)).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else {
            continue;
        };
        let request = Request::post(provider.clone()).body(Full::new(Bytes::from(text)))?;
        let body = client.request(request).await?.into_body();
        match how {
            Relay::AsItComes => pass_on(body, &mut socket).await?,
            Relay::Translated => tell(body, &mut socket).await?,
        }
    }
    Ok(())
}

async fn pass_on(mut body: Incoming, socket: &mut Socket) -> anyhow::Result<()> {
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame?.into_data() else {
            continue;
        };
        socket
            .send(Message::Text(Utf8Bytes::try_from(bytes)?))
            .await?;
    }
    Ok(())
}

async fn tell(body: Incoming, socket: &mut Socket) -> anyhow::Result<()> {
    let (sender, mut frames) = mpsc::channel(FRAMES);
    let mut answering = JoinSet::new();
    answering.spawn(translation::translate(body, sender));
    while let Some(frame) = frames.recv().await {
        socket.send(Message::Text(frame)).await?;
    }
    while let Some(answered) = answering.join_next().await {
        answered??;
    }
    Ok(())
}
