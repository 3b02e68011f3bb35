//! Those who were there before the flood: each says something, reads the answer, and says the next thing.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use patter_faults::client::{Client, Habits};
use patter_faults::moment::Moment;
use patter_faults::script::Script;
use tokio::time::sleep;

const TALKERS: usize = 30;
/// An answer takes a second.
const TOKENS: usize = 20;
const RATE: u32 = 20;
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a turn took, from the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    /// To the first token.
    pub(crate) first_token: Duration,
    /// To the stored answer.
    pub(crate) whole: Duration,
}

pub(crate) struct Conversations {
    clients: Vec<Client>,
}

impl Conversations {
    /// Opens the sessions.
    pub(crate) async fn begin(address: SocketAddr) -> anyhow::Result<Self> {
        let client = |number| {
            let habits = Habits::quick(vec![address], number);
            Client::start(format!("talk-{number}"), habits)
        };
        let clients: Vec<Client> = (0..TALKERS as u64).map(client).collect();
        let ready = clients
            .iter()
            .map(|client| client.until("a connection", PATIENCE, |view| view.is_ready));
        try_join_all(ready).await?;
        Ok(Self { clients })
    }

    /// Talks until the flood is over: all turns, and what came of the flood.
    pub(crate) async fn during<T>(
        &self,
        part: &str,
        flood: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<(Vec<Turn>, T)> {
        let is_over = AtomicBool::new(false);
        let flood = async {
            let outcome = flood.await;
            is_over.store(true, Ordering::Relaxed);
            outcome
        };
        let talks = self.clients.iter().enumerate().map(|(number, client)| {
            let is_over = &is_over;
            async move {
                // Not all at once: nobody does that.
                sleep(Duration::from_secs(1) * u32::try_from(number)? / u32::try_from(TALKERS)?)
                    .await;
                let mut turns = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let id = format!("{part}-{number}-{}", turns.len()).replace(' ', "-");
                    turns.push(turn(client, &id).await?);
                }
                anyhow::Ok(turns)
            }
        });
        let (turns, outcome) = tokio::try_join!(try_join_all(talks), flood)?;
        Ok((turns.concat(), outcome))
    }

    /// Ends all of it; whether each of them was served on its first connection all along.
    pub(crate) async fn leave(self) -> bool {
        let logs = join_all(self.clients.into_iter().map(Client::leave)).await;
        logs.iter()
            .all(|log| log.connections.len() == 1 && log.refusals.is_empty())
    }
}

async fn turn(client: &Client, id: &str) -> anyhow::Result<Turn> {
    let before = client.look(|view| view.tokens);
    let begin = Moment::now();
    client.say(&Script::new(id).tokens(TOKENS, RATE)).await;
    client
        .until("a token", PATIENCE, |view| view.tokens > before)
        .await?;
    let first_token = Moment::now().since(begin);
    client.until_answered(PATIENCE).await?;
    Ok(Turn {
        first_token,
        whole: Moment::now().since(begin),
    })
}
