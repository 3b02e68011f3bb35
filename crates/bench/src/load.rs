//! The load generator, a process of its own with one thread: it plays the users of a scenario and tells
//! what they saw and what the server took for it.
//!
//! It reads as little of a frame as it can: what it costs itself stands beside every result.

mod client;
mod stand;
mod stream;
mod tally;
mod visits;

use std::cell::Cell;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use anyhow::ensure;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use tokio::task::JoinSet;

use crate::figures::Figures;
use crate::usage::Watched;
pub use client::Client;
pub use tally::Tally;

/// What the users do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Play {
    /// Each talks on and on in its session.
    Stream,
    /// Each asks in a new session every time.
    Blast,
    /// Each asks a few times a second, and waits for the first token.
    First,
    /// All connect, and say nothing.
    Idle,
    /// Each holds a conversation of many turns, and stays.
    Turns,
    /// Each connects, until the session is ready, and goes.
    Connect,
    /// Each connects, says one thing and leaves.
    Churn,
    /// One attaches to a session that there is, and reads all of it.
    Replay,
}

/// A scenario, and whom it is played with.
#[derive(Debug, Clone, Args)]
pub struct Load {
    /// What the users do.
    pub play: Play,
    /// Where the server listens.
    #[arg(long)]
    pub server: SocketAddr,
    /// The processes that are measured.
    #[command(flatten)]
    pub watched: Watched,
    /// Users at the same time.
    #[arg(long, default_value_t = 1)]
    pub users: u32,
    /// Tokens of an answer.
    #[arg(long, default_value_t = 1)]
    pub tokens: u32,
    /// Tokens a second of each user; 0 for as fast as they come.
    #[arg(long, default_value_t = 0)]
    pub rate: u32,
    /// How long is measured.
    #[arg(long, default_value_t = 4.0)]
    pub seconds: f64,
    /// The session to read.
    #[arg(long)]
    pub session: Option<String>,
}

impl fmt::Display for Play {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // None is skipped, so each has a name.
        let name = self.to_possible_value();
        f.write_str(
            name.as_ref()
                .map(PossibleValue::get_name)
                .unwrap_or_default(),
        )
    }
}

impl Load {
    /// Plays it.
    ///
    /// # Errors
    ///
    /// If the server does not do what it should: figures of that would be worth nothing.
    pub async fn play(self) -> anyhow::Result<Figures> {
        ensure!(self.users > 0, "there are no users");
        match self.play {
            Play::Stream | Play::Blast | Play::First => stream::play(&self).await,
            Play::Idle | Play::Turns => stand::play(&self).await,
            Play::Connect | Play::Churn => visits::play(&self).await,
            Play::Replay => stand::replay(&self).await,
        }
    }

    fn measured(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

/// What connects: every connection has a session of its own, and the next of many addresses of this
/// machine, each of which has only so many ports.
#[derive(Debug)]
struct Door {
    server: SocketAddr,
    opened: Cell<u32>,
}

impl Door {
    fn new(server: SocketAddr) -> Rc<Self> {
        Rc::new(Self {
            server,
            opened: Cell::new(0),
        })
    }

    async fn enter(&self) -> anyhow::Result<Client> {
        let number = self.opened.replace(self.opened.get() + 1);
        let session = format!("bench-{}-{number}", std::process::id());
        let [low, ..] = number.to_le_bytes();
        let source = Ipv4Addr::new(127, 0, 0, (low % 200) + 2);
        Client::connect(self.server, source, &session, "").await
    }
}

/// The users of a scenario. One who fails ends it.
type Users = JoinSet<anyhow::Result<()>>;

/// Waits for so long, or for the first user who fails.
async fn watch(users: &mut Users, time: Duration) -> anyhow::Result<()> {
    let all_ended = async {
        while let Some(ended) = users.join_next().await {
            ended??;
        }
        std::future::pending::<anyhow::Result<()>>().await
    };
    tokio::select! {
        failed = all_ended => failed,
        () = tokio::time::sleep(time) => Ok(()),
    }
}
