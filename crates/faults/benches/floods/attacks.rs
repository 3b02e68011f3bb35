//! The floods: those of slowhttptest, and two of our own. Each ends by itself.

use std::fmt;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::stream::{self, StreamExt};
use patter_faults::figures::percentile;
use patter_faults::raw::RawSocket;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout};

use crate::PLACES;

/// How long slowhttptest goes on, in seconds.
const SECONDS: &str = "20";
/// Connections that say nothing; a thousand come in a second, ten at a time.
const SILENT: usize = 10_000;
const TEN_EACH: Duration = Duration::from_millis(10);
/// Sessions that ask at the same time: of more than 64 not all would be told why they are refused.
const AT_A_TIME: usize = 50;
/// Two hundred ask in a second.
const SESSION_EACH: Duration = Duration::from_millis(5);

/// Connections and sessions that were refused.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Until the refusal was there, of those that were told by a status.
    pub(crate) told: Vec<Duration>,
    /// How many were closed without a word.
    pub(crate) untold: usize,
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} closed without a word, ", self.untold)?;
        write!(f, "{} refused with a status", self.told.len())?;
        if !self.told.is_empty() {
            let (half, all) = (percentile(&self.told, 50), percentile(&self.told, 100));
            write!(f, ", half of them within {half:.1?}, all within {all:.1?}")?;
        }
        Ok(())
    }
}

/// What slowhttptest does with a thousand connections.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slow {
    Heads,
    Bodies,
    Readers,
}

impl Slow {
    /// Runs it to its end.
    pub(crate) async fn run(self, address: SocketAddr) -> anyhow::Result<Option<Refusals>> {
        let (path, own): (&str, &[&str]) = match self {
            Self::Heads => ("/health", &["-H", "-i", "5", "-x", "1"]),
            Self::Bodies => (
                "/api/sessions",
                &["-B", "-i", "5", "-x", "1", "-f", "application/json"],
            ),
            // A megabyte is asked for on each connection, and read by a few bytes in a second.
            Self::Readers => (
                "/openapi.json",
                &[
                    "-X", "-k", "10", "-w", "10", "-y", "20", "-n", "1", "-z", "5",
                ],
            ),
        };
        let output = Command::new("slowhttptest")
            .args(own)
            .args(["-c", &PLACES.to_string(), "-r", "100", "-l", SECONDS])
            .args(["-p", "2", "-u", &format!("http://{address}{path}")])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("slowhttptest does not start: `apt-get install slowhttptest`")?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(
            said.contains("Exit status:"),
            "slowhttptest did not do its part: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(None)
    }
}

/// Ten times as many connections as there are places, and not a byte on any of them.
pub(crate) async fn silent(address: SocketAddr) -> anyhow::Result<Option<Refusals>> {
    /// What is closed so soon was refused; the others are left when their heads are due.
    const AT_ONCE: Duration = Duration::from_secs(5);
    let mut pace = interval(TEN_EACH);
    let mut connections = JoinSet::new();
    for _ in 0..SILENT / 10 {
        pace.tick().await;
        for _ in 0..10 {
            connections.spawn(async move {
                let begin = Instant::now();
                // Who does not get through at all is refused, too.
                if let Ok(Ok(mut stream)) = timeout(AT_ONCE, TcpStream::connect(address)).await {
                    let mut bytes = Vec::new();
                    // A reset ends it too.
                    let _reset = stream.read_to_end(&mut bytes).await;
                    return begin.elapsed();
                }
                Duration::ZERO
            });
        }
    }
    let lasted = connections.join_all().await;
    let untold = lasted.iter().filter(|it| **it < AT_ONCE).count();
    ensure!(
        untold > SILENT / 2,
        "only {untold} of {SILENT} connections were refused"
    );
    Ok(Some(Refusals {
        told: Vec::new(),
        untold,
    }))
}

/// Twice as many sessions as there are places: the first ones are kept, and what is too much is refused.
pub(crate) async fn surplus(address: SocketAddr) -> anyhow::Result<Option<Refusals>> {
    let start = Instant::now();
    let attempts = (0..2 * PLACES).map(|number| async move {
        sleep_until(start + SESSION_EACH * u32::try_from(number).unwrap_or(u32::MAX)).await;
        let begin = Instant::now();
        let rest = format!("surplus-{number}");
        let outcome = timeout(
            Duration::from_secs(10),
            RawSocket::upgraded(address, &rest, None),
        );
        (outcome.await, begin.elapsed())
    });
    let mut attempts = stream::iter(attempts).buffer_unordered(AT_A_TIME);
    let mut kept = Vec::new();
    let mut refusals = Refusals::default();
    while let Some((outcome, took)) = attempts.next().await {
        match outcome {
            Ok(Ok(socket)) => kept.push(socket),
            Ok(Err(error)) => {
                let error = error.to_string();
                if ["no upgrade: HTTP/1.1 503", "no upgrade: HTTP/1.1 429"]
                    .iter()
                    .any(|refusal| error.starts_with(refusal))
                {
                    refusals.told.push(took);
                } else {
                    refusals.untold += 1;
                }
            }
            Err(_elapsed) => bail!("a session was neither opened nor refused within ten seconds"),
        }
    }
    ensure!(
        kept.len() > PLACES / 2 && refusals.told.len() > PLACES / 2,
        "{} sessions were opened and {} refused",
        kept.len(),
        refusals.told.len()
    );
    Ok(Some(refusals))
}
