//! What a test plays in: a database, a fake model, some processes of patter with proxies in front, and
//! clients; and how it comes to its verdict.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{bail, ensure};
use futures_util::future::{join_all, try_join_all};
use patter_faults::client::{Client, Habits};
use patter_faults::figures::Figures;
use patter_faults::history::{ClientLog, History, StoredSession};
use patter_faults::model::FakeModel;
use patter_faults::moment::Moment;
use patter_faults::node::Node;
use patter_faults::proxy::Proxy;
use patter_faults::tables::Tables;
use patter_faults::verify::{Complaint, verify};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use crate::runner::World;

/// Longest wait for what should happen at once.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// How long a session lingers in these tests, in seconds.
const LINGER: &str = "1";

/// The lease in tests that wait for it to run out, in seconds.
pub(crate) const LEASE_SECONDS: u64 = 3;

/// How a scene is set.
pub(crate) struct Stage {
    binary: PathBuf,
    store: Store,
    variables: Vec<(String, String)>,
    proxies: bool,
    /// The database's URL for the first process, where it has a way of its own.
    first_url: Option<String>,
}

/// Where sessions are kept.
#[derive(Clone)]
pub(crate) enum Store {
    /// The embedded store: one process, its own file.
    Embedded,
    /// A database: the URL for the processes, and the one for the judge.
    Postgres { url: String, direct: String },
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Store {
    /// A fresh database on the cluster that all share.
    pub(crate) async fn shared(world: &World) -> anyhow::Result<Self> {
        let cluster = world.shared_cluster().await?;
        Self::on(cluster).await
    }

    /// A fresh database on a cluster.
    pub(crate) async fn on(cluster: &patter_faults::cluster::Cluster) -> anyhow::Result<Self> {
        let name = format!("faults_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        cluster.create_database(&name).await?;
        let url = cluster.url(&name);
        Ok(Self::Postgres {
            direct: url.clone(),
            url,
        })
    }

    /// The same database, on another way.
    pub(crate) fn by_way_of(&self, port: u16, more: &str) -> Self {
        let Self::Postgres { direct, .. } = self else {
            return self.clone();
        };
        let database = direct.rsplit('/').next().unwrap();
        Self::Postgres {
            direct: direct.clone(),
            url: format!("postgres://postgres@127.0.0.1:{port}/{database}{more}"),
        }
    }
}

impl Stage {
    /// The binary as it is shipped, on a store.
    pub(crate) fn new(world: &World, store: Store) -> Self {
        Self {
            binary: world.binary.clone(),
            store,
            variables: Vec::new(),
            proxies: false,
            first_url: None,
        }
    }

    /// A setting, by its variable.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Offers a tool that has its effect at the model, see [`FakeModel::note_settings`].
    pub(crate) fn noting(mut self, model: &FakeModel) -> Self {
        for (name, value) in model.note_settings() {
            self = self.set(name, &value);
        }
        self
    }

    /// A lease that runs out soon, and a sweeper that comes often.
    pub(crate) fn short_lease(self) -> Self {
        self.set("PATTER_STORE__LEASE", &LEASE_SECONDS.to_string())
            .set("PATTER_SESSION__SWEEP_INTERVAL", "1")
    }

    /// Another binary, with a mechanism broken.
    pub(crate) fn broken(mut self, binary: PathBuf, mechanism: &str) -> Self {
        self.binary = binary;
        self.set("SABOTAGE", mechanism)
    }

    /// The first process has a way of its own to the database, through this port.
    pub(crate) fn first_by_way_of(mut self, port: u16) -> Self {
        if let Store::Postgres { url, .. } = self.store.by_way_of(port, "") {
            self.first_url = Some(url);
        }
        self
    }

    /// Puts a proxy in front of each process; clients go through it.
    pub(crate) fn with_proxies(mut self) -> Self {
        self.proxies = true;
        self
    }

    /// Starts the model and so many processes.
    pub(crate) async fn start(self, nodes: usize) -> anyhow::Result<Scene> {
        let model = Arc::new(FakeModel::start().await);
        self.start_with(model, nodes).await
    }

    /// Starts so many processes on a model that is there.
    pub(crate) async fn start_with(
        self,
        model: Arc<FakeModel>,
        nodes: usize,
    ) -> anyhow::Result<Scene> {
        let mut variables: Vec<(String, String)> = [
            ("PATTER_LLM__PROVIDER", "openai"),
            ("OPENAI_API_KEY", "x"),
            ("PATTER_LLM__RETRIES", "0"),
            ("PATTER_SESSION__LINGER", LINGER),
            ("PATTER_SESSION__SUMMARY_TIMEOUT", "5"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        variables.push((
            "OPENAI_BASE_URL".to_owned(),
            format!("{}/v1", model.base_url()),
        ));
        if let Store::Postgres { url, .. } = &self.store {
            variables.push(("DATABASE_URL".to_owned(), url.clone()));
        }
        for (name, value) in self.variables {
            variables.retain(|(old, _)| *old != name);
            variables.push((name, value));
        }
        let mut nodes: Vec<Node> = (0..nodes)
            .map(|_| Node::prepare(&self.binary, &variables))
            .collect::<Result<_, _>>()?;
        if let Some(url) = &self.first_url {
            nodes[0].set("DATABASE_URL", url);
        }
        try_join_all(nodes.iter_mut().map(Node::start_again)).await?;
        let proxies = nodes.iter().filter(|_| self.proxies);
        let proxies = try_join_all(proxies.map(|node| Proxy::start(node.address()))).await?;
        let tables = match &self.store {
            Store::Embedded => Tables::embedded(nodes[0].folder()),
            Store::Postgres { direct, .. } => Tables::Postgres(direct.clone()),
        };
        Ok(Scene {
            model,
            nodes,
            proxies,
            tables,
            logs: Vec::new(),
            disturbances: Vec::new(),
            figures: Figures::default(),
            only: None,
        })
    }
}

/// A scene that is set.
pub(crate) struct Scene {
    pub(crate) model: Arc<FakeModel>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) proxies: Vec<Proxy>,
    pub(crate) tables: Tables,
    /// What clients saw that have left.
    pub(crate) logs: Vec<ClientLog>,
    pub(crate) disturbances: Vec<Moment>,
    pub(crate) figures: Figures,
    /// The sessions that are looked at, where the database has others too.
    only: Option<Vec<String>>,
}

impl Scene {
    /// Where clients connect to.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        if self.proxies.is_empty() {
            self.nodes.iter().map(Node::address).collect()
        } else {
            self.proxies.iter().map(Proxy::address).collect()
        }
    }

    /// A client that is quick to come back, and may come back to any process.
    pub(crate) fn client(&self, session: &str, seed: u64) -> Client {
        let mut addresses = self.addresses();
        let first = usize::try_from(seed).unwrap() % addresses.len();
        addresses.rotate_left(first);
        Client::start(session, Habits::quick(addresses, seed))
    }

    /// Kills a process as the kernel does when memory is short.
    pub(crate) async fn kill(&mut self, node: usize) -> anyhow::Result<()> {
        let at = self.nodes[node].kill().await?;
        self.disturbances.push(at);
        self.figures.add("kills", 1);
        Ok(())
    }

    /// Runs statements in the database.
    pub(crate) async fn execute(&self, sql: &'static str) -> anyhow::Result<()> {
        let Tables::Postgres(url) = &self.tables else {
            bail!("the embedded store takes statements from nobody else");
        };
        let mut connection = PgConnection::connect(url).await?;
        sqlx::raw_sql(sql).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// Notes that something may have changed the owner of a session.
    pub(crate) fn disturb(&mut self) {
        self.disturbances.push(Moment::now());
    }

    /// Lets clients leave, and keeps what they saw.
    pub(crate) async fn leave(&mut self, clients: Vec<Client>) {
        let logs = join_all(clients.into_iter().map(Client::leave)).await;
        self.logs.extend(logs);
    }

    /// Looks at these sessions alone: the database has those of others too.
    pub(crate) fn only(&mut self, sessions: Vec<String>) {
        self.only = Some(sessions);
    }

    /// The sessions that are looked at, as the tables have them.
    pub(crate) async fn stored(&self) -> anyhow::Result<Vec<StoredSession>> {
        let mut sessions = self.tables.read().await?;
        if let Some(only) = &self.only {
            sessions.retain(|session| only.contains(&session.session_id));
        }
        Ok(sessions)
    }

    /// Waits until no session is active any more, nor will be: a process that keeps something of one on its disk opens
    /// it once more to store that, as soon as the last owner has let go of it.
    pub(crate) async fn finalized(&mut self, patience: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            // In this order: what is stored meanwhile is stored by a session that is active.
            let kept = self.kept_on_disks().await;
            let sessions = self.stored().await?;
            let active: Vec<&str> = sessions
                .iter()
                .filter(|session| session.is_active)
                .map(|session| session.session_id.as_str())
                .collect();
            if active.is_empty() && matches!(kept, Ok(0)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "{} of {} sessions are not finalized within {patience:?}, such as {:?}; events kept: {kept:?}",
                    active.len(),
                    sessions.len(),
                    active.first()
                );
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// How many events the processes keep because they could not store them.
    async fn kept_on_disks(&self) -> anyhow::Result<u64> {
        let kept = self.nodes.iter().map(Node::events_on_disk);
        join_all(kept).await.into_iter().sum()
    }

    /// Everything that every side tells.
    pub(crate) async fn history(&mut self, all_left: bool) -> anyhow::Result<History> {
        Ok(History {
            clients: std::mem::take(&mut self.logs),
            sessions: self.stored().await?,
            asked: self.model.asked(),
            disturbances: self.disturbances.clone(),
            retries: 0,
            all_left,
        })
    }

    /// The judge's complaints. The clients have left, and are forgotten; figures are kept.
    pub(crate) async fn complaints(&mut self, all_left: bool) -> anyhow::Result<Vec<Complaint>> {
        let history = self.history(all_left).await?;
        count(&history, &mut self.figures);
        Ok(verify(&history))
    }

    /// The figures, if the judge has nothing to complain about.
    pub(crate) async fn verdict(mut self, all_left: bool) -> anyhow::Result<Figures> {
        let complaints = self.complaints(all_left).await?;
        no_complaints(&complaints)?;
        // A test in which nothing was said cannot fail.
        ensure!(self.figures.get("acknowledged") > 0, "nobody said anything");
        Ok(self.figures)
    }
}

/// Acknowledged, lost and doubled messages, tokens and connections of a run.
fn count(history: &History, figures: &mut Figures) {
    let acknowledged = history.acknowledged();
    let mut rows = std::collections::HashMap::new();
    for session in &history.sessions {
        for row in session
            .rows
            .iter()
            .filter(|row| row.kind() == "user_message")
        {
            let id = row.event["id"].as_str().unwrap_or_default();
            *rows
                .entry((session.session_id.as_str(), id))
                .or_insert(0_usize) += 1;
        }
    }
    let lost = acknowledged
        .keys()
        .filter(|key| !rows.contains_key(*key))
        .count();
    figures.add("acknowledged", acknowledged.len());
    figures.add("lost", lost);
    figures.add("doubled", rows.values().filter(|times| **times > 1).count());
    let connections = history.clients.iter().map(|it| it.connections.len()).sum();
    figures.add("connections", connections);
}

/// An error that tells the first complaints, if there are some.
pub(crate) fn no_complaints(complaints: &[Complaint]) -> anyhow::Result<()> {
    if complaints.is_empty() {
        return Ok(());
    }
    let first: Vec<String> = complaints.iter().take(8).map(ToString::to_string).collect();
    bail!("{} complaints:\n  {}", complaints.len(), first.join("\n  "))
}
