//! The benchmark itself: each scenario with each server, one after the other and several times over, so
//! that what else the machine does meets all of them alike; then the tables.

mod limits;
mod machine;
mod ramp;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::ground::Ground;
use crate::report;
use crate::scenario::Scenario;
use crate::server::{Programs, Server};
use crate::store::Opened;
pub use machine::Machine;

/// What is to be run.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    programs: Programs,
    /// The folder for what is written on the way, on a disk that keeps what it says it keeps.
    #[arg(long)]
    work: PathBuf,
    /// Where the page, the plots and the figures of a whole run go.
    #[arg(long)]
    docs: PathBuf,
    /// How long each thing is measured.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// How often; the middle one counts.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Only these scenarios.
    #[arg(long)]
    only: Vec<Scenario>,
    /// Only these servers, and the floor.
    #[arg(long)]
    server: Vec<Server>,
}

/// What a run has found, and where and when.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    /// Where and when.
    pub machine: Machine,
    /// The figures of each server in each scenario.
    pub scenarios: BTreeMap<Scenario, BTreeMap<Server, Figures>>,
}

impl Run {
    /// Runs it, and prints and writes the tables.
    ///
    /// # Errors
    ///
    /// If a server does not do what it should.
    pub async fn run(self) -> anyhow::Result<()> {
        limits::raise_open_files()?;
        fs::create_dir_all(&self.work)?;
        let ground = Ground::prepare(&self.programs, &self.work).await?;
        let mut results = Results {
            machine: Machine::look()?,
            scenarios: BTreeMap::new(),
        };
        for scenario in Scenario::ALL {
            if self.only.is_empty() || self.only.contains(&scenario) {
                let figures = self.scenario(scenario, &ground).await?;
                report::print(scenario, &figures)?;
                results.scenarios.insert(scenario, figures);
            }
        }
        if self.only.is_empty() && self.server.is_empty() {
            report::write(&results, &self.docs)?;
        }
        Ok(())
    }

    async fn scenario(
        &self,
        scenario: Scenario,
        ground: &Ground<'_>,
    ) -> anyhow::Result<BTreeMap<Server, Figures>> {
        let mut runs: BTreeMap<Server, Vec<Figures>> = BTreeMap::new();
        for _ in 0..scenario.rounds(self.rounds) {
            for server in scenario.servers() {
                let is_wanted = self.server.is_empty() || self.server.contains(server);
                if is_wanted || *server == Server::Floor {
                    let figures = self
                        .once(scenario, *server, ground)
                        .await
                        .with_context(|| format!("{scenario}, {server}"))?;
                    runs.entry(*server).or_default().push(figures);
                }
            }
        }
        let medians = runs
            .into_iter()
            .map(|(server, runs)| (server, Figures::medians(&runs)));
        Ok(medians.collect())
    }

    async fn once(
        &self,
        scenario: Scenario,
        server: Server,
        ground: &Ground<'_>,
    ) -> anyhow::Result<Figures> {
        match scenario {
            Scenario::Ramp => ramp::run(ground, server).await,
            Scenario::Start => {
                let standing = ground.start(server, &[]).await?;
                let mut figures = Figures::default();
                let took = standing.started_in();
                figures.set("listens_after_ms", took.as_secs_f64() * 1e3);
                if let Some(megabytes) = server.binary_mb(ground.programs, ground.work)? {
                    figures.set("binary_mb", megabytes);
                }
                standing.stop().await?;
                Ok(figures)
            }
            Scenario::Store => {
                let store = Opened::open(ground, server).await?;
                let figures = store.measure(self.seconds).await?;
                store.close().await;
                Ok(figures)
            }
            Scenario::Replay => {
                let store = Opened::open(ground, server).await?;
                let session = store.fill(scenario.tokens()).await?;
                store.close().await;
                let settings = [("DATABASE_URL", store.url.as_str())];
                self.play(scenario, server, ground, &settings, Some(&session))
                    .await
            }
            _ => {
                let settings = scenario.settings();
                self.play(scenario, server, ground, settings, None).await
            }
        }
    }

    async fn play(
        &self,
        scenario: Scenario,
        server: Server,
        ground: &Ground<'_>,
        settings: &[(&str, &str)],
        session: Option<&str>,
    ) -> anyhow::Result<Figures> {
        let standing = ground.start(server, settings).await?;
        let figures = standing
            .load(scenario, scenario.users(), self.seconds, session)
            .await?;
        standing.stop().await?;
        Ok(figures)
    }
}
