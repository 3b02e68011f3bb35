//! Takes connections in, no more than there is room for, and serves HTTP on each in a task of its
//! own.

use std::convert::Infallible;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::{debug, warn};

use super::guarded::{Guarded, REFUSED_METHOD, Word};
use super::tls::Certificates;
use crate::admission::{Admission, Peer, Places};
use crate::http::{Body, HttpService};

/// A client has so long to send the head of a request, and to begin another one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection is used for new requests for so long; one that became a WebSocket is none of these.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Waits so long when the system has no room for another connection, instead of asking again at
/// once and for ever.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How much is taken on, and how patiently it is brought to an end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long an answer may take that comes as an event stream.
    pub(crate) longest_answer: Duration,
    /// How long the last answer of a connection may take: when the server stops, and beyond the longest
    /// answer when a connection has grown old. It only concerns those who do not read theirs.
    pub(crate) last_answer: Duration,
}

/// The HTTP connections that are left when no more are accepted.
#[derive(Debug, Default)]
pub(crate) struct OpenRequests {
    tasks: TaskTracker,
    finish: CancellationToken,
}

impl OpenRequests {
    /// Lets requests in flight finish, and ends those that do not.
    pub(crate) async fn finish(self) {
        self.finish.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Accepts connections until `stop` is cancelled, with TLS where there is a certificate.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<&Certificates>,
    service: HttpService,
    limits: Limits,
    places: Places,
    stop: &CancellationToken,
) -> OpenRequests {
    let open = OpenRequests::default();
    let server = Serving {
        builder: builder(),
        service,
        limits,
        finish: open.finish.clone(),
        tls: tls.cloned(),
    };
    loop {
        // Nothing is lost when `accept` is dropped.
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let peer = Peer(peer);
                if let Some(admission) = places.take(peer) {
                    open.tasks
                        .spawn(server.clone().serve(stream, peer, admission));
                }
            }
            // The client has left already.
            Err(error) if concerns_one_client(&error) => {}
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    open
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES);
    builder
}

/// What each connection is served with.
#[derive(Clone)]
struct Serving {
    builder: Builder<TokioExecutor>,
    service: HttpService,
    limits: Limits,
    finish: CancellationToken,
    tls: Option<Certificates>,
}

impl Serving {
    async fn serve(self, stream: TcpStream, peer: Peer, admission: Admission) {
        // Tokens are small and must not wait for each other.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "a client left at once");
            return;
        }
        match self.tls.clone() {
            None => self.converse(stream, peer, admission).await,
            Some(tls) => match tls.accept(stream).await {
                Some(Ok(stream)) => self.converse(stream, peer, admission).await,
                Some(Err(error)) => debug!(%error, "a client did not agree on keys"),
                None => debug!("a client did not agree on keys in time"),
            },
        }
    }

    async fn converse<S>(self, stream: S, peer: Peer, admission: Admission)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = Guarded::new(stream);
        let word = stream.word();
        let admission = Arc::new(admission);
        let service = self.service;
        let service = service_fn(move |mut request: Request<Incoming>| {
            let extensions = request.extensions_mut();
            extensions.insert(Arc::clone(&admission));
            extensions.insert(peer);
            // Who sends such a head without need gets the answer a little earlier.
            let is_refused = request.method().as_str() == REFUSED_METHOD;
            if let Some(refused) = word.refused().filter(|_| is_refused) {
                request.extensions_mut().insert(refused);
            }
            last_if_not_upgraded(service.clone(), request, Arc::clone(&word))
        });
        let stream = TokioIo::new(stream);
        let connection = self.builder.serve_connection_with_upgrades(stream, service);
        let mut connection = pin!(connection.into_owned());
        let limits = self.limits;
        tokio::select! {
            ended = connection.as_mut() => return report(ended),
            () = self.finish.cancelled() => {}
            () = sleep(MAX_AGE) => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => return report(ended),
                    () = self.finish.cancelled() => {}
                    () = sleep(limits.longest_answer) => {}
                }
            }
        }
        connection.as_mut().graceful_shutdown();
        match timeout(limits.last_answer, connection).await {
            Ok(ended) => report(ended),
            Err(_elapsed) => debug!("a client did not take its answer"),
        }
    }
}

/// Who asks to leave HTTP does, or the connection ends: what comes behind such a head is not
/// [guarded](super::guarded) any more.
async fn last_if_not_upgraded(
    service: HttpService,
    request: Request<Incoming>,
    word: Arc<Word>,
) -> Result<Response<Body>, Infallible> {
    let is_last = request.headers().contains_key(UPGRADE);
    let mut response = service.oneshot(request).await?;
    if is_last {
        settle(&mut response, &word);
    }
    Ok(response)
}

/// What comes of the wish to leave HTTP.
fn settle(response: &mut Response<Body>, word: &Word) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        word.upgraded();
    } else {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
}

fn report<E: Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        debug!(%error, "a connection broke");
    }
}

fn concerns_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_to_leave_http_is_let_go_of_only_where_that_is_granted() {
        for (status, is_granted) in [(101, true), (200, false), (400, false)] {
            let mut response = Response::new(Body::default());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            let word = Word::default();
            settle(&mut response, &word);
            assert_eq!(word.is_upgraded(), is_granted, "{status}");
            let is_closed = response.headers().get(CONNECTION).is_some();
            assert_eq!(is_closed, !is_granted, "{status}");
        }
    }
}
