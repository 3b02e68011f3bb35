//! How to reach a PostgreSQL server, and which ways are refused.

use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::error::StoreError;

/// The port on which Supabase and others put their transaction pooler.
const TRANSACTION_POOLER_PORT: u16 = 6543;

/// How to reach a PostgreSQL server. `Debug` does not show the URL.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:5432/database?sslmode=...&sslrootcert=...`.
    pub url: SecretString,
    /// The most connections kept at once. 16 unless set.
    pub max_connections: u32,
    /// How long a call waits for a connection. 2 seconds unless set.
    pub acquire_timeout: Duration,
    /// How long the server works at one statement before it gives up. 5 seconds unless set.
    pub statement_timeout: Duration,
}

impl PostgresOptions {
    /// The usual limits, and the server at a URL:
    /// `postgres://user:password@host:5432/database`, special characters percent-encoded.
    ///
    /// If the URL has no `sslmode` and the host is another machine, the connection is encrypted
    /// and the server's certificate and name are checked (`verify-full`), against the authority
    /// in `sslrootcert` or else the public ones. To a server on this machine it is not required.
    ///
    /// A pooler in transaction mode is refused when the store is opened: a statement may there
    /// get the answer to another one. It is known by port 6543 or by `pgbouncer=true`.
    #[must_use]
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            max_connections: 16,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
        }
    }

    /// The most that one call may take: the server's own limits end it sooner, unless the
    /// server or the network is silent.
    pub(super) fn call_deadline(&self) -> Duration {
        self.acquire_timeout + self.statement_timeout + Duration::from_secs(1)
    }

    /// What sqlx needs to connect.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if the URL cannot be read or names a transaction pooler.
    pub(super) fn connect_options(&self) -> Result<PgConnectOptions, StoreError> {
        let url = self.url.expose_secret();
        if parameter(url, "pgbouncer").is_some_and(|value| value == "true") {
            return Err(transaction_pooler());
        }
        // The error of sqlx is not passed on: it may quote the URL.
        let mut options = PgConnectOptions::from_str(url).map_err(|_| {
            StoreError::Unusable(
                "the database URL cannot be read: expected \
                 `postgres://user:password@host:5432/database`, special characters in the \
                 password percent-encoded"
                    .to_owned(),
            )
        })?;
        if options.get_port() == TRANSACTION_POOLER_PORT {
            return Err(transaction_pooler());
        }
        if options.get_application_name().is_none() {
            options = options.application_name("patter");
        }
        // sqlx would try TLS and go on without it where there is none.
        let mode_is_given = ["sslmode", "ssl-mode"]
            .iter()
            .any(|name| parameter(url, name).is_some());
        if !mode_is_given && !is_this_machine(&options) {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        Ok(options)
    }
}

fn transaction_pooler() -> StoreError {
    StoreError::Unusable(
        "the URL names a pooler in transaction mode (port 6543 or `pgbouncer=true`), behind which \
         statements can get each other's answers: use the session pooler on port 5432, or the \
         server itself"
            .to_owned(),
    )
}

/// The value of a parameter in the query of a URL, as it stands there.
fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn is_this_machine(options: &PgConnectOptions) -> bool {
    let host = options
        .get_host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
        PostgresOptions::new(url.into()).connect_options()
    }

    #[test]
    fn a_transaction_pooler_is_refused_and_the_way_out_is_told() {
        for url in [
            "postgres://u:secret@db.example.com:6543/d",
            "postgres://u:secret@db.example.com/d?port=6543",
            "postgres://u:secret@db.example.com:5432/d?sslmode=require&pgbouncer=true",
        ] {
            let error = options(url).unwrap_err();
            assert!(matches!(error, StoreError::Unusable(_)), "{error:?}");
            assert!(error.to_string().contains("session pooler on port 5432"));
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }

    #[test]
    fn a_server_elsewhere_must_prove_who_it_is_unless_told_otherwise() {
        let mode = |url| format!("{:?}", options(url).unwrap().get_ssl_mode());
        assert_eq!(mode("postgres://u@db.example.com/d"), "VerifyFull");
        assert_eq!(
            mode("postgres://u@db.example.com/d?sslmode=require"),
            "Require"
        );
        for local in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.1/d",
            "postgres://u@[::1]/d",
            "postgres://u@%2Fvar%2Frun%2Fpostgresql/d",
        ] {
            assert_ne!(mode(local), "VerifyFull", "{local}");
        }
    }

    #[test]
    fn neither_debug_nor_an_error_shows_the_url() {
        let url = "postgres://u:geheim@host:notaport/d";
        let error = options(url).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("geheim"));
        assert!(!format!("{:?}", PostgresOptions::new(url.into())).contains("geheim"));
    }
}
