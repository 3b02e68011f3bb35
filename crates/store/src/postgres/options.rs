//! How to reach a PostgreSQL server, and which ways are refused.

use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::error::StoreError;

/// The port on which Supabase and others put their transaction pooler.
const TRANSACTION_POOLER_PORT: u16 = 6543;
/// The parameter of a URL that says what is behind it. Other programs know it by this name.
const POOLER: &str = "pgbouncer";

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
    /// Whether a server with `fsync = off` will do, which a power cut may rob of what it said was
    /// stored. No unless set: for tests.
    pub allow_unsafe_fsync: bool,
    /// The language of what is searched: a text search configuration of the server (`english`,
    /// `german`, ...), which knows the stems of words and leaves out the commonest, or `simple`, for
    /// all languages, which takes words as they are. `simple` unless set. It holds for what is
    /// written from then on; what is there is still found.
    pub search_language: String,
    /// What is done about the tables before the store is opened. They are brought up to date unless set.
    pub migrate: Migrate,
    /// Whether a server on another machine will do that is not spoken to by TLS, or only if it offers
    /// it: whoever is in between can read and change everything. No unless set: for a network that
    /// nobody else is in, such as that of a few containers.
    pub allow_plain_text: bool,
}

/// What is done about the tables before a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Migrate {
    /// They are brought up to date, for which the role must own them.
    #[default]
    Auto,
    /// They are looked at, and must be up to date and within reach of the role, which needs no more
    /// than `deploy/postgres/app_role.sql` grants.
    Check,
}

impl PostgresOptions {
    /// The usual limits, and the server at a URL:
    /// `postgres://user:password@host:5432/database`, special characters percent-encoded.
    ///
    /// If the URL has no `sslmode` and the host is another machine, the connection is encrypted
    /// and the server's certificate and name are checked (`verify-full`), against the authority
    /// in `sslrootcert` or else the public ones. To a server on this machine it is not required. A mode
    /// that goes on in plain text (`disable`, `allow`, `prefer`) is refused for another machine.
    ///
    /// A pooler in transaction mode (`PgBouncer`, Supavisor) must be known: by port 6543, on which
    /// Supabase has its own, or by `pgbouncer=true` in the URL. Each call is then a transaction,
    /// which makes it four round trips instead of one. A session pooler on port 5432, or the
    /// server itself, is faster. Where neither is said, and a statement gets the answer to another
    /// one as it would behind such a pooler, the store is not opened.
    #[must_use]
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            max_connections: 16,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            allow_unsafe_fsync: false,
            search_language: "simple".to_owned(),
            migrate: Migrate::Auto,
            allow_plain_text: false,
        }
    }

    /// The most that one call may take: the server's own limits end it sooner, unless the
    /// server or the network is silent.
    pub(super) fn call_deadline(&self) -> Duration {
        self.acquire_timeout + self.statement_timeout + Duration::from_secs(1)
    }

    /// The language, as it can stand in a statement.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if it is not of lower-case letters, digits and `_`.
    pub(super) fn search_language(&self) -> Result<&str, StoreError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let language = self.search_language.as_str();
        if language.is_empty() || !language.chars().all(is_plain) {
            return Err(StoreError::Unusable(format!(
                "no language of searches: `{}`",
                language.escape_debug()
            )));
        }
        Ok(language)
    }

    /// Whether the URL names a pooler in transaction mode.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if the URL cannot be read.
    pub(super) fn is_transaction_pooler(&self) -> Result<bool, StoreError> {
        let said = parameter(self.url.expose_secret(), POOLER).is_some_and(|value| value == "true");
        Ok(said || self.connect_options()?.get_port() == TRANSACTION_POOLER_PORT)
    }

    /// What sqlx needs to connect.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if the URL cannot be read, or would have the password and all data go
    /// through the network in plain text.
    pub(super) fn connect_options(&self) -> Result<PgConnectOptions, StoreError> {
        let url = &without(self.url.expose_secret(), POOLER);
        // The error of sqlx is not passed on: it may quote the URL.
        let mut options = PgConnectOptions::from_str(url).map_err(|_| {
            StoreError::Unusable(
                "the database URL cannot be read: expected \
                 `postgres://user:password@host:5432/database`, special characters in the \
                 password percent-encoded"
                    .to_owned(),
            )
        })?;
        // Poolers do not know it, and no number that is read here is one of those it is about.
        options = options.extra_float_digits(None);
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
        if is_plain(options.get_ssl_mode()) && !self.allow_plain_text && !is_this_machine(&options)
        {
            return Err(StoreError::Unusable(
                "the database is on another machine, and its `sslmode` lets the password and all data \
                 go there in plain text: leave `sslmode` out, which means `verify-full`"
                    .to_owned(),
            ));
        }
        Ok(options)
    }

    /// Whether the connection is encrypted without a look at who is at its other end.
    pub(super) fn trusts_anybody(&self) -> bool {
        self.connect_options().is_ok_and(|options| {
            matches!(options.get_ssl_mode(), PgSslMode::Require) && !is_this_machine(&options)
        })
    }
}

/// The value of a parameter in the query of a URL, as it stands there.
fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The URL without a parameter, which is none of the server's.
fn without(url: &str, name: &str) -> String {
    let Some((base, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let is_other = |pair: &&str| pair.split_once('=').is_none_or(|(key, _)| key != name);
    let others: Vec<_> = query.split('&').filter(is_other).collect();
    format!("{base}?{}", others.join("&"))
}

/// Whether a mode goes on without TLS, always or where the server, or whoever answers for it, has none.
fn is_plain(mode: PgSslMode) -> bool {
    matches!(
        mode,
        PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer
    )
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
    fn a_transaction_pooler_is_known_by_its_port_or_because_the_url_says_so() {
        for (url, expected) in [
            ("postgres://u@db.example.com:6543/d", true),
            ("postgres://u@db.example.com/d?port=6543", true),
            ("postgres://u@db.example.com/d?pgbouncer=true", true),
            ("postgres://u@h/d?sslmode=require&pgbouncer=true", true),
            ("postgres://u@h/d?pgbouncer=false", false),
            ("postgres://pgbouncer:true@h/pgbouncer=true", false),
            ("postgres://u@db.example.com:5432/d", false),
        ] {
            let options = PostgresOptions::new(url.into());
            assert_eq!(options.is_transaction_pooler().unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn what_the_url_says_about_a_pooler_is_not_for_the_server() {
        let name = "pgbouncer";
        assert_eq!(
            without("postgres://h/d?pgbouncer=true", name),
            "postgres://h/d?"
        );
        let url = "postgres://h/d?a=1&pgbouncer=true&options=-c%20x&b";
        assert_eq!(without(url, name), "postgres://h/d?a=1&options=-c%20x&b");
        assert_eq!(without("postgres://h/d", name), "postgres://h/d");
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
    fn nothing_goes_to_another_machine_in_plain_text_unless_that_is_allowed() {
        for mode in ["disable", "allow", "prefer"] {
            for host in [
                "db.example.com",
                "10.0.0.1",
                "[2001:db8::1]",
                "127.0.0.1.example.com",
            ] {
                let url = format!("postgres://u:geheim@{host}/d?sslmode={mode}");
                let mut options = PostgresOptions::new(url.clone().into());
                let refused = options.connect_options().unwrap_err().to_string();
                assert!(refused.contains("plain text"), "{url}: {refused}");
                assert!(!refused.contains("geheim"), "{refused}");
                options.allow_plain_text = true;
                assert!(options.connect_options().is_ok(), "{url}");
            }
            for host in ["localhost", "127.0.0.1", "[::1]", "%2Fvar%2Frun"] {
                let url = format!("postgres://u@{host}/d?sslmode={mode}");
                assert!(options(&url).is_ok(), "{url}");
            }
        }
    }

    #[test]
    fn who_asks_for_no_certificate_is_known() {
        for (url, expected) in [
            ("postgres://u@db.example.com/d?sslmode=require", true),
            ("postgres://u@db.example.com/d?sslmode=verify-ca", false),
            ("postgres://u@db.example.com/d", false),
            ("postgres://u@localhost/d?sslmode=require", false),
        ] {
            let options = PostgresOptions::new(url.into());
            assert_eq!(options.trusts_anybody(), expected, "{url}");
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
