//! A `PostgreSQL` server for the tests: one that is named, one that runs, or a throw-away one.

mod binaries;
mod running;
mod throw_away;

use anyhow::bail;

use crate::{
    apt,
    postgres::{binaries::Binaries, throw_away::ThrowAway},
};

/// The variable that names a server, for xtask and for the tests it starts.
pub(crate) const URL_VARIABLE: &str = "TEST_DATABASE_URL";

/// A server in which tests may create databases. A throw-away one ends when this is dropped.
#[derive(Debug)]
pub(crate) enum Postgres {
    /// A server that is not ours: its URL.
    Running(String),
    /// A server that lives as long as this value.
    ThrowAway(ThrowAway),
}

impl Postgres {
    /// Finds a server: the one that `TEST_DATABASE_URL` names, else one on 127.0.0.1:5432 that lets
    /// us create databases, else a throw-away one from installed programs, which are installed
    /// first where that is allowed.
    ///
    /// # Errors
    ///
    /// When there is none and none can be had (the error says how to install one), or a throw-away
    /// one does not start.
    pub(crate) fn find() -> anyhow::Result<Self> {
        // Set to nothing counts as not set, as everywhere else.
        if let Some(url) = std::env::var(URL_VARIABLE)
            .ok()
            .filter(|url| !url.is_empty())
        {
            println!("PostgreSQL: the server that {URL_VARIABLE} names");
            return Ok(Self::Running(url));
        }
        let installed = Binaries::find();
        if let Some(url) = running::find(installed.as_ref()) {
            println!("PostgreSQL: {url}");
            return Ok(Self::Running(url));
        }
        let server = ThrowAway::start(match installed {
            Some(binaries) => binaries,
            None => Self::install()?,
        })?;
        println!("PostgreSQL: a throw-away server, {}", server.url());
        Ok(Self::ThrowAway(server))
    }

    /// The URL of a database on the server, with a user that may create others.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Running(url) => url,
            Self::ThrowAway(server) => server.url(),
        }
    }

    fn install() -> anyhow::Result<Binaries> {
        if apt::may_install() {
            apt::install(&["postgresql"])?;
            if let Some(binaries) = Binaries::find() {
                return Ok(binaries);
            }
        }
        bail!(
            "the store's tests need a PostgreSQL server: `apt-get install postgresql` (Debian), \
             `brew install postgresql` (macOS), or set {URL_VARIABLE} to the URL of one in which \
             databases may be created"
        )
    }
}

/// Makes sure that the programs of a server are there, installing them where that is allowed.
///
/// # Errors
///
/// When they are not; the error says how to install them.
pub(crate) fn find_programs() -> anyhow::Result<()> {
    match Binaries::find() {
        Some(_) => Ok(()),
        None => Postgres::install().map(drop),
    }
}
