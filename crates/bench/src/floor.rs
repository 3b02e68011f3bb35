//! The floor: a relay from a provider to a WebSocket that neither parses nor stores. What the body of
//! the answer brings at once becomes a frame as it is. No server that does something can be cheaper.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// What stands first on a connection, as the protocol wants it.
pub(crate) const READY: &str = r#"{"type":"session_ready"}"#;

const READ_BUFFER_BYTES: usize = 4 * 1024;

type Provider = Client<HttpConnector, Full<Bytes>>;

/// Relays the connections of the listener until it is dropped.
///
/// # Errors
///
/// If the port does not take connections any more.
pub async fn serve(listener: TcpListener, provider: Uri) -> anyhow::Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(relay(stream, client.clone(), provider.clone()));
            }
            Some(_over) = connections.join_next() => {}
        }
    }
}

async fn relay(stream: TcpStream, client: Provider, provider: Uri) -> anyhow::Result<()> {
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
        let mut body = client.request(request).await?.into_body();
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame?.into_data() else {
                continue;
            };
            socket
                .send(Message::Text(Utf8Bytes::try_from(bytes)?))
                .await?;
        }
    }
    Ok(())
}
