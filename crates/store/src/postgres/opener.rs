//! How connections are opened, and when one that has been idle, or is old, is used again.

use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Error, PgConnection};
use tokio::time::{sleep, timeout};

/// A connection that was lent longer ago is tried before it is used: one round trip, and a
/// restarted server costs no failed calls. A busy one is not.
const IDLE_BEFORE_PING: Duration = Duration::from_secs(1);
/// One that has not answered by then leads nowhere. There is time for others before the call gives up.
const PING_DEADLINE: Duration = Duration::from_millis(500);
/// What the server keeps for a connection grows with what was done over it.
const MAX_AGE: Duration = Duration::from_secs(30 * 60);
/// A server that refuses connections may be about to start: it is asked again after so long, and then after twice that.
const FIRST_RETRY: Duration = Duration::from_millis(10);
const LAST_RETRY: Duration = Duration::from_millis(400);

/// Opens the connections of a pool. It has the password, and is not to be printed.
pub(super) struct Opener {
    pub(super) options: PgConnectOptions,
    /// A statement that each connection begins with.
    pub(super) settings: Option<String>,
}

impl Opener {
    async fn open(&self) -> Result<PgConnection, Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        if let Some(settings) = &self.settings {
            sqlx::raw_sql(AssertSqlSafe(settings.as_str()))
                .execute(&mut connection)
                .await?;
        }
        Ok(connection)
    }
}

impl Manager for Opener {
    type Type = PgConnection;
    type Error = Error;

    /// Tries for as long as somebody waits for it.
    async fn create(&self) -> Result<PgConnection, Error> {
        let mut delay = FIRST_RETRY;
        loop {
            // In a box: each call has room for it, and few open a connection.
            match Box::pin(self.open()).await {
                Err(error) if may_be_starting(&error) => {}
                opened => return opened,
            }
            sleep(delay).await;
            delay = (delay * 2).min(LAST_RETRY);
        }
    }

    async fn recycle(
        &self,
        connection: &mut PgConnection,
        metrics: &Metrics,
    ) -> RecycleResult<Error> {
        if metrics.age() > MAX_AGE {
            return Err(RecycleError::message("it is old"));
        }
        if metrics.last_used() > IDLE_BEFORE_PING {
            let pinged = timeout(PING_DEADLINE, connection.ping()).await;
            pinged.map_err(|_| RecycleError::message("it is silent"))??;
        }
        Ok(())
    }
}

fn may_be_starting(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}
