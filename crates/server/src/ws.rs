//! The WebSocket of a session. A request is checked, the session opened and the reader attached
//! *before* the upgrade, so that whatever can be refused is refused as HTTP; then the
//! [`Connection`](connection::Connection) takes over in a task of its own.

mod budget;
mod connection;
mod credential;
mod doorbell;
mod frame_guard;
mod handshake;
mod heartbeat;
mod pace;
mod socket;
mod spans;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use patter_protocol::{LogEpoch, SessionId};
use patter_session::{After, SessionError};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;
use uuid::Uuid;

use crate::admission::Admission;
use crate::auth::Caller;
use crate::http::{App, Body, Problem, Query, access};
use crate::limits;
use crate::metrics::{Closed, ConnectionMeasures};
use connection::{Connection, Joining};
use credential::Credential;
use pace::Pace;
pub(crate) use socket::End;
use socket::Socket;
#[cfg(feature = "autobahn-echo")]
pub(crate) use socket::echo;
use spans::Spans;

/// A client must be ready to speak WebSocket so long after the server has agreed.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// The open connections: who waits for them and who stops them.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    /// Owns the connections' tasks.
    tasks: TaskTracker,
    /// Cancelled when the server does not wait for them any longer.
    stop: CancellationToken,
}

impl Connections {
    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Closes those that are still open as a server that restarts, and waits for them.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Answers `GET /ws/session/{session_id}`.
///
/// # Errors
///
/// Every refusal that the protocol names.
pub(crate) async fn open(
    app: &App,
    mut request: Request<Incoming>,
    session_id: SessionId,
    caller: &Caller,
) -> Result<Response<Body>, Problem> {
    let response = handshake::agree(&request)?;
    let query = Query::parse(request.uri().query());
    let after = after(&query)?;
    let options = access::open_options(app, caller, &session_id, query.user_id()?)?;
    let admission = request.extensions().get::<Arc<Admission>>().cloned();
    let is_counted = admission
        .as_ref()
        .is_some_and(|admission| admission.is_counted());
    let place = app.limits.stay(caller, is_counted)?;
    limits::may_open(app, caller, &session_id).await?;
    let pace = Pace::new(Arc::clone(&app.limits), caller);
    let session = app
        .sessions
        .open(session_id.clone(), options)
        .await
        .map_err(|error| {
            if is_not_theirs(&error) {
                app.limits.missed(caller);
            }
            refusal(error)
        })?
        .with_traces_of_their_own()
        .counted_for(pace.name());
    let attachment = session.attach(after).await.map_err(refusal)?;

    let upgrade = hyper::upgrade::on(&mut request);
    let open = Open::new(Arc::clone(&app.metrics.connections));
    let joining = Box::new(Joining {
        session,
        attachment,
        credential: Credential::new(&app.authenticator, caller),
        pace,
        measures: Arc::clone(&open.0),
        stop: app.connections.stop.clone(),
        spans: Spans::begin(&session_id),
    });
    let connection = async move {
        let closed = serve(upgrade, joining).await;
        open.0.closed(closed);
        // The connection counts as one until here.
        drop((open, admission, place));
    };
    app.connections.tasks.spawn(connection);
    Ok(response)
}

/// Why a session is not opened. Of one that is somebody else's no more is told than of one that there is not
/// and that is not to be made.
fn refusal(error: SessionError) -> Problem {
    if is_not_theirs(&error) {
        access::no_session_of_yours()
    } else {
        error.into()
    }
}

fn is_not_theirs(error: &SessionError) -> bool {
    matches!(
        error,
        SessionError::NotYours { .. } | SessionError::Unknown { .. }
    )
}

async fn serve(upgrade: OnUpgrade, joining: Box<Joining>) -> Closed {
    let why = match timeout(UPGRADE_TIMEOUT, upgrade).await {
        Ok(Ok(upgraded)) => {
            let socket = Socket::new(TokioIo::new(upgraded)).await;
            let connection = Box::new(Connection::new(socket, *joining));
            return Closed::By(connection.run().await);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_elapsed) => "the client did not take it in time".to_owned(),
    };
    let log = async { debug!(why, "there was no upgrade") };
    joining.spans.run(log).await;
    Closed::NoUpgrade
}

/// A connection that is counted as open, until this is dropped.
struct Open(Arc<ConnectionMeasures>);

impl Open {
    fn new(measures: Arc<ConnectionMeasures>) -> Self {
        measures.opened.inc();
        measures.open.inc();
        Self(measures)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.dec();
    }
}

/// What the client has already: `after`, of the log `epoch`.
fn after(query: &Query<'_>) -> Result<After, Problem> {
    let epoch: Option<Uuid> = query.parsed("epoch", "must be a UUID")?;
    let epoch = epoch.map(LogEpoch::from);
    Ok(query
        .seq("after")?
        .map_or(After::Start, |seq| After::Seq { seq, epoch }))
}
