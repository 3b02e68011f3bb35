//! A WebSocket client that speaks JSON, waits for a bounded time and fails the test where what it
//! waits for does not come.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longest wait for an event, after which the test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client on an open connection.
#[derive(Debug)]
pub struct WsClient {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl WsClient {
    /// Connects.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn connect(url: &str) -> Self {
        Self::try_connect(url).await.unwrap()
    }

    /// Connects with one more header.
    ///
    /// # Panics
    ///
    /// If the server refuses or does not answer.
    pub async fn connect_with(url: &str, name: &'static str, value: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        let value = HeaderValue::try_from(value).unwrap();
        request.headers_mut().insert(name, value);
        let connected = timeout(PATIENCE, connect_async(request)).await;
        let (stream, _response) = connected.expect("the server does not answer").unwrap();
        Self { stream }
    }

    /// Connects, or tells why the server refused: [`Error::Http`] holds its answer.
    ///
    /// # Errors
    ///
    /// What the handshake failed with.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub async fn try_connect(url: &str) -> Result<Self, Box<Error>> {
        let connected = timeout(PATIENCE, connect_async(url)).await;
        let (stream, _response) = connected.expect("the server does not answer")?;
        Ok(Self { stream })
    }

    /// Sends a message of the protocol.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    /// Sends any WebSocket message.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn send_raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// Sends a user message with an id.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn say(&mut self, id: &str, content: &str) {
        self.send(json!({"type": "user_message", "id": id, "content": content}))
            .await;
    }

    /// The next event.
    ///
    /// # Panics
    ///
    /// If the connection ends first, or nothing comes.
    pub async fn next(&mut self) -> Value {
        match self.event_or_code().await {
            Ok(event) => event,
            Err(code) => panic!("the server closed with {code:?}"),
        }
    }

    /// All events up to and including the first one of the type.
    ///
    /// # Panics
    ///
    /// If it does not come.
    pub async fn until(&mut self, wanted: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let found = event["type"] == wanted;
            events.push(event);
            if found {
                return events;
            }
        }
    }

    /// All events up to the one with which each of these types has come.
    ///
    /// # Panics
    ///
    /// If one does not come.
    pub async fn until_all(&mut self, wanted: &[&str]) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        while !wanted
            .iter()
            .all(|kind| events.iter().any(|event| event["type"] == *kind))
        {
            events.push(self.next().await);
        }
        events
    }

    /// The first event of the type; those before it are passed over.
    ///
    /// # Panics
    ///
    /// If it does not come.
    pub async fn expect(&mut self, wanted: &str) -> Value {
        self.until(wanted).await.pop().unwrap()
    }

    /// Everything up to the end of the connection, and the close code; `None` where there was none.
    ///
    /// # Panics
    ///
    /// If the connection stays open and silent.
    pub async fn until_closed(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut events = Vec::new();
        loop {
            match self.event_or_code().await {
                Ok(event) => events.push(event),
                Err(code) => return (events, code),
            }
        }
    }

    /// Ends the connection in good order.
    ///
    /// # Panics
    ///
    /// If the server does not answer the close.
    pub async fn close(mut self) {
        // The server may have closed at the same time.
        let _closed_already = self.stream.close(None).await;
        self.until_closed().await;
    }

    /// Reads to the end, which also sends the answer to the server's close.
    async fn answer_close(&mut self) {
        let end = async { while let Some(Ok(_)) = self.stream.next().await {} };
        timeout(PATIENCE, end)
            .await
            .expect("the server does not end the connection");
    }

    async fn event_or_code(&mut self) -> Result<Value, Option<u16>> {
        loop {
            let received = timeout(PATIENCE, self.stream.next()).await;
            match received.expect("the server says nothing") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    self.answer_close().await;
                    return Err(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }
}
