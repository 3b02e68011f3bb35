//! The fake provider: it answers what the message asks for (`bench tokens=200 rate=50`), in the framing of
//! OpenAI's Chat Completions or of Gemini, each token with the time at which it was written. On a second
//! port it says the same over a WebSocket, with no server in between: what is measured there is what
//! measuring costs.
//!
//! One thread, and nothing but what an answer needs: it must never be what limits.

mod answer;
mod direct;
mod http;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use answer::{Answer, Ask, Framing};

/// Serves both ports until it is dropped.
///
/// # Errors
///
/// If a port does not take connections any more.
pub async fn serve(provider: TcpListener, direct: TcpListener) -> anyhow::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = provider.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(http::serve(stream));
            }
            accepted = direct.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(direct::serve(stream));
            }
            // One that fails closes its connection, and the server tells what it makes of that.
            Some(_over) = connections.join_next() => {}
        }
    }
}
