//! A server that already runs on this machine, if it lets us create databases.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Command,
    time::Duration,
};

use crate::{postgres::binaries::Binaries, process};

const PORT: u16 = 5432;

/// The URL of the server on 127.0.0.1:5432 with the first user who may create databases there.
/// Asked with `psql`, from `PATH` or from beside the server's programs; without it, nobody.
pub(super) fn find(installed: Option<&Binaries>) -> Option<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    let user = users()
        .into_iter()
        .find(|user| may_create_databases(psql(installed), user));
    if user.is_none() {
        println!("PostgreSQL: the server on 127.0.0.1:{PORT} does not let us create databases");
    }
    user.map(|user| format!("postgres://{user}@127.0.0.1:{PORT}/postgres"))
}

/// Who to try: the user that libpq's own variable names, the usual administrator, ourselves.
fn users() -> Vec<String> {
    [
        std::env::var("PGUSER").ok(),
        Some("postgres".to_owned()),
        std::env::var("USER").ok(),
    ]
    .into_iter()
    .flatten()
    .filter(|user| is_plain(user))
    .collect()
}

/// Whether a name can stand in a URL as it is.
fn is_plain(user: &str) -> bool {
    !user.is_empty()
        && user
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn psql(installed: Option<&Binaries>) -> Command {
    match (process::on_path("psql"), installed) {
        (None, Some(binaries)) => binaries.command("psql"),
        _ => Command::new("psql"),
    }
}

/// Creates a database and drops it again: rights alone do not tell what a pooler or a replica allows.
fn may_create_databases(mut psql: Command, user: &str) -> bool {
    let name = format!("patter_probe_{}", std::process::id());
    psql.args(["--no-psqlrc", "--no-password", "--quiet"])
        .args(["--host=127.0.0.1", "--dbname=postgres"])
        .args([format!("--port={PORT}"), format!("--username={user}")])
        .args(["--command", &format!("create database {name}")])
        .args(["--command", &format!("drop database {name}")])
        .args(["--set", "ON_ERROR_STOP=1"])
        .env("PGCONNECT_TIMEOUT", "5");
    process::output_of(&mut psql).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_that_would_break_the_url_is_not_tried() {
        assert!(is_plain("postgres"));
        assert!(is_plain("ann-marie.b_2"));
        assert!(!is_plain("a@b"));
        assert!(!is_plain("a:b"));
        assert!(!is_plain(""));
    }
}
