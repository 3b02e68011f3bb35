//! Takes connections in, no more than there is room for, and serves HTTP on each in a task of its
//! own.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::admission::{Admission, Peer, Places};
use crate::http::HttpService;

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

/// Accepts connections until `stop` is cancelled.
pub(crate) async fn serve(
    listener: TcpListener,
    service: HttpService,
    limits: Limits,
    places: Places,
    stop: &CancellationToken,
) -> OpenRequests {
    let open = OpenRequests::default();
    let builder = builder();
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
                    serve_connection(&builder, &service, &open, limits, (stream, peer), admission);
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

fn serve_connection(
    builder: &Builder<TokioExecutor>,
    service: &HttpService,
    open: &OpenRequests,
    limits: Limits,
    (stream, peer): (TcpStream, Peer),
    admission: Admission,
) {
    // Tokens are small and must not wait for each other.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "a client left at once");
        return;
    }
    let admission = Arc::new(admission);
    let service = service.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&admission));
        request.extensions_mut().insert(peer);
        service.clone().oneshot(request)
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let connection = connection.into_owned();
    let finish = open.finish.clone();
    open.tasks.spawn(async move {
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return report(ended),
            () = finish.cancelled() => {}
            () = sleep(MAX_AGE) => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => return report(ended),
                    () = finish.cancelled() => {}
                    () = sleep(limits.longest_answer) => {}
                }
            }
        }
        connection.as_mut().graceful_shutdown();
        match timeout(limits.last_answer, connection).await {
            Ok(ended) => report(ended),
            Err(_elapsed) => debug!("a client did not take its answer"),
        }
    });
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
