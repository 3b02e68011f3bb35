//! `cargo xtask test`: every test of the project, or one part of them.
//!
//! Everything that a part needs from the machine is looked for before the first line is compiled,
//! so that what is missing is known in seconds.

mod interop;
pub(crate) mod rust;
mod web;

use clap::ValueEnum;

use crate::{
    chromium, metadata::Metadata, node, phase::phase, postgres::Postgres, programs, python,
    recordings, test::web::Browser,
};

/// One part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// What needs nothing but Rust.
    Rust,
    /// What needs a `PostgreSQL` server.
    Postgres,
    /// The page: unit tests in Node, and the real binary in a real browser.
    Web,
    /// The real binary against servers that others wrote, and its documents in the hands of others' tools.
    Interop,
}

/// Runs one part of the tests, or all of them.
///
/// # Errors
///
/// When something is missing that may not be installed here, or a test fails.
pub(crate) fn run(part: Option<Part>) -> anyhow::Result<()> {
    let metadata = Metadata::read()?;
    match part {
        None => {
            let browser = find_browser()?;
            find_proxies()?;
            let postgres = find_postgres()?;
            let recordings = recordings::find()?;
            phase("Rust tests, both stores", || {
                rust::all(&metadata, &postgres, recordings.as_deref())
            })?;
            rust::each_library_alone()?;
            web::run(&metadata, &browser)?;
            interop::run(&metadata, &postgres)?;
        }
        Some(Part::Rust) => {
            let recordings = recordings::find()?;
            phase("Rust tests", || {
                rust::plain(&metadata, recordings.as_deref())
            })?;
            rust::each_library_alone()?;
        }
        Some(Part::Postgres) => {
            let postgres = find_postgres()?;
            phase("PostgreSQL tests", || {
                rust::only_postgres(&metadata, &postgres)
            })?;
        }
        Some(Part::Web) => web::run(&metadata, &find_browser()?)?,
        Some(Part::Interop) => {
            phase("find Node and Python", || {
                node::find().and_then(|()| python::find())
            })?;
            find_proxies()?;
            let postgres = phase("find PostgreSQL", Postgres::find)?;
            interop::run(&metadata, &postgres)?;
        }
    }
    println!("every test passed");
    Ok(())
}

/// The server, and the pooler that stands before it in some tests.
fn find_postgres() -> anyhow::Result<Postgres> {
    phase("find PostgreSQL and PgBouncer", || {
        programs::find(&[programs::PGBOUNCER])?;
        Postgres::find()
    })
}

fn find_proxies() -> anyhow::Result<()> {
    phase("find nginx and HAProxy", || {
        programs::find(&programs::PROXIES)
    })
}

fn find_browser() -> anyhow::Result<Browser> {
    phase("find Node, Python and Chromium", || {
        node::find()?;
        python::find()?;
        Ok(Browser {
            chromium: chromium::find()?,
        })
    })
}
