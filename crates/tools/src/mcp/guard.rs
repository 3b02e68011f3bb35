//! The way of messages to and from a server, which cannot be stopped up: by a server that asks and does not
//! listen, or by one that is gone and does not say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rmcp::model::JsonRpcMessage;
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// So many requests of a server may be without an answer. It has no reason for more than one or two.
const MAX_UNANSWERED: usize = 64;
/// How long a transport may take to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// A transport that ends when `gone` is cancelled, whatever it waits for.
pub(super) struct Guarded<T> {
    inner: T,
    gone: CancellationToken,
    unanswered: Arc<AtomicUsize>,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError<E> {
    #[error("the connection is closed")]
    Gone,
    #[error(transparent)]
    Inner(E),
}

impl<T> Guarded<T> {
    pub(super) fn new(inner: T, gone: CancellationToken) -> Self {
        Self {
            inner,
            gone,
            unanswered: Arc::default(),
        }
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Guarded<T> {
    type Error = SendError<T::Error>;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let is_answer = matches!(
            message,
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)
        );
        let sending = self.inner.send(message);
        let (gone, unanswered) = (self.gone.clone(), Arc::clone(&self.unanswered));
        async move {
            let sent = tokio::select! {
                biased;
                () = gone.cancelled() => Err(SendError::Gone),
                sent = sending => sent.map_err(SendError::Inner),
            };
            if is_answer {
                // What is answered was counted before.
                unanswered.fetch_sub(1, Ordering::Relaxed);
            }
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        let message = tokio::select! {
            biased;
            () = self.gone.cancelled() => None,
            message = self.inner.receive() => message,
        }?;
        if let JsonRpcMessage::Request(_) = message
            && self.unanswered.fetch_add(1, Ordering::Relaxed) >= MAX_UNANSWERED
        {
            warn!("an MCP server asks more than it listens; the connection is closed");
            return None;
        }
        Some(message)
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        match timeout(CLOSE_LIMIT, self.inner.close()).await {
            Ok(closed) => closed.map_err(SendError::Inner),
            // Dropped, it is closed too.
            Err(_elapsed) => Ok(()),
        }
    }
}
