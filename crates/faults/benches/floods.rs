//! What floods cost those who talk: `cargo xtask floods`, which builds the binary and names it in `PATTER_BIN`.
//!
//! Conversations go on all the time. Beside them come connections that send their heads or bodies by the byte, that
//! do not read, that say nothing, and twice as many sessions as there are places. A table tells how long turns
//! took meanwhile; what is promised in `docs/security.md` is held against it, and a broken promise is an exit code
//! of 1. It measures the machine too: nothing else should run on it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on fails, and its figures are for a terminal"
)]

#[path = "floods/attacks.rs"]
mod attacks;
#[path = "floods/conversations.rs"]
mod conversations;
#[path = "floods/verdict.rs"]
mod verdict;

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use patter_faults::model::FakeModel;
use patter_faults::node::Node;
use patter_faults::process::{self, Usage};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::{Instant, sleep};

use attacks::{Refusals, Slow};
use conversations::{Conversations, Turn};

/// The server has so many places for connections.
const PLACES: usize = 1_000;
/// Files that are needed for that, here and there.
const FILES: u64 = 8_192;

/// What was measured in one part of the run.
struct Part {
    name: &'static str,
    turns: Vec<Turn>,
    /// The most of everything that the server used.
    most: Usage,
    refusals: Option<Refusals>,
}

/// The server, and those who talk to it.
struct Stage {
    node: Node,
    talks: Conversations,
    _model: FakeModel,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    match runtime.block_on(run()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("the floods could not be made: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<bool> {
    allow_files()?;
    let mut stage = Stage::set().await?;
    let address = stage.node.address();
    let quiet = || async {
        sleep(Duration::from_secs(20)).await;
        Ok(None)
    };
    // What is done for the first time takes longer.
    let _warm = stage.part("warm", quiet()).await?;
    let parts = [
        stage.part("nothing else", quiet()).await?,
        stage.part("slow heads", Slow::Heads.run(address)).await?,
        stage.part("slow bodies", Slow::Bodies.run(address)).await?,
        stage
            .part("slow readers", Slow::Readers.run(address))
            .await?,
        stage
            .part("silent connections", attacks::silent(address))
            .await?,
        stage
            .part("twice the sessions", attacks::surplus(address))
            .await?,
        stage.part("nothing else again", quiet()).await?,
    ];
    let unharmed = stage.talks.leave().await;
    Ok(verdict::tell(&parts, unharmed))
}

impl Stage {
    async fn set() -> anyhow::Result<Self> {
        let binary: PathBuf = std::env::var_os("PATTER_BIN")
            .context("PATTER_BIN must name the binary; `cargo xtask floods` sets it")?
            .into();
        let model = FakeModel::start().await;
        let variables = [
            ("PATTER_LLM__PROVIDER", "openai".to_owned()),
            ("OPENAI_API_KEY", "x".to_owned()),
            ("OPENAI_BASE_URL", format!("{}/v1", model.base_url())),
            ("PATTER_SERVER__MAX_CONNECTIONS", PLACES.to_string()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let mut node = Node::prepare(&binary, &variables)?;
        node.start_again().await?;
        let talks = Conversations::begin(node.address()).await?;
        Ok(Self {
            node,
            talks,
            _model: model,
        })
    }

    /// Lets everybody talk until the flood is over, and looks at what the server uses meanwhile.
    async fn part(
        &mut self,
        name: &'static str,
        flood: impl Future<Output = anyhow::Result<Option<Refusals>>>,
    ) -> anyhow::Result<Part> {
        let begin = Instant::now();
        let pid = self.node.pid().context("the server has ended")?;
        let mut most = process::usage(pid)?;
        let watch = async {
            loop {
                sleep(Duration::from_millis(100)).await;
                let Ok(now) = process::usage(pid) else {
                    return;
                };
                most.resident_kib = most.resident_kib.max(now.resident_kib);
                most.files = most.files.max(now.files);
            }
        };
        let (turns, refusals) = tokio::select! {
            both = self.talks.during(name, flood) => both?,
            () = watch => anyhow::bail!("the server has ended: {}", self.node.log()),
        };
        println!("... {name}: {:.0} s", begin.elapsed().as_secs_f64());
        // Sockets of one flood are gone before the next one.
        sleep(Duration::from_secs(3)).await;
        Ok(Part {
            name,
            turns,
            most,
            refusals,
        })
    }
}

/// Where fewer files may be open than are needed, but more are allowed.
fn allow_files() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < FILES) {
        let wanted = Rlimit {
            current: Some(FILES),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, wanted)
            .with_context(|| format!("{FILES} files must be allowed: `ulimit -n {FILES}`"))?;
    }
    Ok(())
}
