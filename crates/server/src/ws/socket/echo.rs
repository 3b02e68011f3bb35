//! For Autobahn's fuzzing client (`cargo xtask autobahn`) alone: a WebSocket that says what it hears, by the
//! way in and with the settings that conversations have. Only its messages may be larger and come in more
//! pieces, since some of the client's do.

use futures_util::{SinkExt, StreamExt};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::super::{UPGRADE_TIMEOUT, handshake};
use super::{End, Socket, end_of, watched};
use crate::http::{App, Body, Problem};

/// Where it is.
pub(crate) const PATH: &str = "/autobahn";
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// Answers `GET /autobahn`.
///
/// # Errors
///
/// What is refused of the handshake.
pub(crate) fn open(app: &App, mut request: Request<Incoming>) -> Result<Response<Body>, Problem> {
    let response = handshake::agree(&request)?;
    let upgrade = hyper::upgrade::on(&mut request);
    app.connections.tasks.spawn(async move {
        if let Ok(Ok(upgraded)) = timeout(UPGRADE_TIMEOUT, upgrade).await {
            let stream = watched(TokioIo::new(upgraded), MAX_MESSAGE_BYTES, usize::MAX).await;
            Socket { stream }.echo().await;
        }
    });
    Ok(response)
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    async fn echo(mut self) {
        let end = loop {
            let message = match self.stream.next().await {
                Some(Ok(Message::Close(_))) => break End::ClosedByClient,
                Some(Ok(message)) => message,
                Some(Err(error)) => break end_of(&error),
                None => break End::Gone,
            };
            if !(message.is_text() || message.is_binary()) {
                continue;
            }
            if let Err(error) = self.stream.send(message).await {
                break end_of(&error);
            }
        };
        self.finish(end).await;
    }
}
