//! Runs the promises that were asked for, some at a time where that does not disturb them, and prints
//! a line for each and one for all.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use patter_faults::cluster::Cluster;
use patter_faults::figures::Figures;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// One test.
pub(crate) struct Promise {
    pub(crate) name: &'static str,
    pub(crate) share: Share,
    pub(crate) run: fn(Arc<World>) -> Running,
}

/// What a test gives at its end.
pub(crate) type Outcome = anyhow::Result<Figures>;

pub(crate) type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Whether a test minds company.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// It may run beside others.
    Together,
    /// It measures time or memory.
    Alone,
}

/// What all tests share.
pub(crate) struct World {
    /// The binary, as it is shipped.
    pub(crate) binary: PathBuf,
    /// The one whose mechanisms can be broken by `SABOTAGE`; not built where none are needed.
    pub(crate) sabotage: Option<PathBuf>,
    /// Whether the long loops are run.
    pub(crate) soak: bool,
    /// Random times and places come from it.
    pub(crate) seed: u64,
    cluster: OnceCell<Cluster>,
}

impl World {
    /// One of two figures: that of a short run, or that of a long one.
    pub(crate) fn loops(&self, smoke: usize, soak: usize) -> usize {
        if self.soak { soak } else { smoke }
    }

    /// A cluster for those who do not kill it.
    pub(crate) async fn shared_cluster(&self) -> anyhow::Result<&Cluster> {
        self.cluster.get_or_try_init(Cluster::start).await
    }

    /// Random numbers for one part of a test: the same for the same seed.
    pub(crate) fn random(&self, part: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9).wrapping_add(part))
    }
}

/// So many run at a time: most of them wait most of the time.
const AT_A_TIME: usize = 4;

/// Longest time for one test.
const PATIENCE: Duration = Duration::from_secs(150);
const SOAK_PATIENCE: Duration = Duration::from_secs(4 * 3600);

pub(crate) fn main(promises: &'static [Promise]) -> ExitCode {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let chosen: Vec<&Promise> = promises
        .iter()
        .filter(|promise| {
            wanted.is_empty() || wanted.iter().any(|name| promise.name.starts_with(name))
        })
        .collect();
    if chosen.is_empty() {
        println!("no promise begins with {}", wanted.join(" or "));
        return ExitCode::FAILURE;
    }
    let world = Arc::new(World {
        binary: std::env::var_os("PATTER_BIN")
            .expect("PATTER_BIN must name the binary; `cargo xtask faults` sets it")
            .into(),
        sabotage: std::env::var_os("PATTER_SABOTAGE_BIN").map(PathBuf::from),
        soak: std::env::var("PATTER_SOAK").is_ok_and(|value| value == "1"),
        seed: std::env::var("PATTER_FAULTS_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(|| fastrand::u64(..1_000_000)),
        cluster: OnceCell::new(),
    });
    println!("seed {}", world.seed);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let all_hold = runtime.block_on(run(&world, &chosen));
    runtime.shutdown_timeout(Duration::from_secs(1));
    if all_hold {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn run(world: &Arc<World>, chosen: &[&'static Promise]) -> bool {
    let start = Instant::now();
    let mut total = Total::default();
    let mut running = JoinSet::new();
    let (together, alone): (Vec<&Promise>, Vec<&Promise>) = chosen
        .iter()
        .partition(|promise| promise.share == Share::Together);
    for promise in together {
        if running.len() == AT_A_TIME {
            total.take(running.join_next().await.unwrap().unwrap());
        }
        running.spawn(run_one(world.clone(), promise));
    }
    while let Some(done) = running.join_next().await {
        total.take(done.unwrap());
    }
    for promise in alone {
        running.spawn(run_one(world.clone(), promise));
        total.take(running.join_next().await.unwrap().unwrap());
    }
    println!(
        "promises held {}, broken {}; {}; {:.0} s",
        total.held,
        total.broken.len(),
        total.figures,
        start.elapsed().as_secs_f64()
    );
    for name in &total.broken {
        println!("broken: {name}");
    }
    total.broken.is_empty()
}

#[derive(Default)]
struct Total {
    held: usize,
    broken: Vec<&'static str>,
    figures: Figures,
}

impl Total {
    fn take(&mut self, (name, outcome, seconds): (&'static str, Outcome, f64)) {
        match outcome {
            Ok(figures) => {
                println!("ok     {name}: {figures}; {seconds:.1} s");
                self.held += 1;
                self.figures.merge(&figures);
            }
            Err(error) => {
                println!("BROKEN {name}: {error:#}; {seconds:.1} s");
                self.broken.push(name);
            }
        }
    }
}

async fn run_one(world: Arc<World>, promise: &'static Promise) -> (&'static str, Outcome, f64) {
    let start = Instant::now();
    let patience = if world.soak { SOAK_PATIENCE } else { PATIENCE };
    // A task of its own, so that a panic breaks this promise and no other.
    let mut task = JoinSet::new();
    task.spawn((promise.run)(world));
    let outcome = match timeout(patience, task.join_next()).await {
        Ok(Some(Ok(outcome))) => outcome,
        Ok(Some(Err(panic))) => Err(anyhow::anyhow!("{panic}")),
        Ok(None) => Err(anyhow::anyhow!("nothing ran")),
        Err(_elapsed) => Err(anyhow::anyhow!("not done within {patience:?}")),
    };
    (promise.name, outcome, start.elapsed().as_secs_f64())
}
