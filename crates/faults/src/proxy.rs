//! A TCP proxy that misbehaves: it delays, throttles, stalls, cuts after so many bytes, resets,
//! half closes, refuses. It stands between any two of client, server, database and model.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How the proxy treats what goes through it, connections that are open already included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Everything passes.
    Pass,
    /// Everything passes later.
    Delay(Duration),
    /// So many bytes in a second, each way and for each connection.
    Throttle(u32),
    /// Connections are accepted, and nothing goes through. Nobody is told.
    Stall,
    /// What clients send passes, and what the target answers does not.
    Mute,
    /// New connections are reset; open ones go on.
    Refuse,
}

/// What happens to one connection: chosen when it is accepted, from its number (0, 1, ...).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plan {
    /// Both sides are reset after so many bytes went from the target to the client.
    pub reset_after: Option<u64>,
    /// The direction from the client to the target is closed, and only it, after so many bytes.
    pub half_close_after: Option<u64>,
}

type Planner = Box<dyn Fn(u64) -> Plan + Send + Sync>;

/// The proxy; its connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _accepting: JoinSet<()>,
}

struct Shared {
    target: Mutex<SocketAddr>,
    mode: watch::Sender<Mode>,
    /// Counts up: connections from before are reset.
    resets: watch::Sender<u64>,
    planner: Mutex<Option<Planner>>,
    accepted: AtomicU64,
    cut: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Proxy {
    /// Starts a proxy in front of an address.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            mode: watch::Sender::new(Mode::Pass),
            resets: watch::Sender::new(0),
            planner: Mutex::new(None),
            accepted: AtomicU64::new(0),
            cut: AtomicU64::new(0),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, shared.clone()));
        Ok(Self {
            address,
            shared,
            _accepting: accepting,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how everything is treated.
    pub fn set(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// Sends new connections elsewhere.
    pub fn aim_at(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap() = target;
    }

    /// Chooses for each new connection what happens to it.
    pub fn plan(&self, planner: impl Fn(u64) -> Plan + Send + Sync + 'static) {
        *self.shared.planner.lock().unwrap() = Some(Box::new(planner));
    }

    /// Resets every connection that is open now.
    pub fn reset_all(&self) {
        self.shared.resets.send_modify(|count| *count += 1);
    }

    /// How many connections were cut, by a plan or by `reset_all`.
    #[must_use]
    pub fn cuts(&self) -> usize {
        usize::try_from(self.shared.cut.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let number = shared.accepted.fetch_add(1, Ordering::Relaxed);
        if *shared.mode.borrow() == Mode::Refuse {
            let _ = client.set_zero_linger();
            continue;
        }
        let planner = shared.planner.lock().unwrap();
        let plan = planner
            .as_ref()
            .map(|plan| plan(number))
            .unwrap_or_default();
        drop(planner);
        connections.spawn(serve(client, shared.clone(), plan));
    }
}

async fn serve(client: TcpStream, shared: Arc<Shared>, plan: Plan) {
    let mut resets = shared.resets.subscribe();
    let mut mode = shared.mode.subscribe();
    resets.mark_unchanged();
    // A path that is cut off answers to nobody: the target is not even told of the connection.
    let opened = async {
        mode.wait_for(|mode| *mode != Mode::Stall).await.ok()?;
        let target = *shared.target.lock().unwrap();
        TcpStream::connect(target).await.ok()
    };
    let target = tokio::select! {
        opened = opened => opened,
        _ = resets.changed() => None,
    };
    let Some(target) = target else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = client.set_nodelay(true);
    let _ = target.set_nodelay(true);
    let (client_reader, client_writer) = client.into_split();
    let (target_reader, target_writer) = target.into_split();
    let mut up = Pump::new(client_reader, target_writer, &shared, plan.half_close_after);
    let mut down = Pump::new(target_reader, client_writer, &shared, plan.reset_after);
    down.carries_answers = true;
    let was_cut = {
        let both = async {
            let up = async {
                // At its limit this direction is closed and the other goes on.
                up.run().await;
                let _ = up.writer.shutdown().await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = up => false,
                at_limit = down.run() => at_limit,
            }
        };
        tokio::select! {
            at_limit = both => at_limit,
            _ = resets.changed() => true,
        }
    };
    if was_cut {
        shared.cut.fetch_add(1, Ordering::Relaxed);
        let client = down.writer.reunite(up.reader);
        let target = up.writer.reunite(down.reader);
        let (Ok(client), Ok(target)) = (client, target) else {
            return;
        };
        let _ = client.set_zero_linger();
        let _ = target.set_zero_linger();
    }
}

/// One direction of a connection.
struct Pump {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    /// Whether it leads from the target to the client.
    carries_answers: bool,
    mode: watch::Receiver<Mode>,
    /// Bytes that may still pass.
    left: u64,
}

impl Pump {
    fn new(
        reader: OwnedReadHalf,
        writer: OwnedWriteHalf,
        shared: &Shared,
        limit: Option<u64>,
    ) -> Self {
        Self {
            reader,
            writer,
            carries_answers: false,
            mode: shared.mode.subscribe(),
            left: limit.unwrap_or(u64::MAX),
        }
    }

    /// Moves bytes until one side ends (`false`) or no more may pass (`true`).
    async fn run(&mut self) -> bool {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let most = match *self.mode.borrow_and_update() {
                Mode::Throttle(per_second) => (per_second as usize / 10).clamp(1, buffer.len()),
                _ => buffer.len(),
            };
            let read = tokio::select! {
                read = self.reader.read(&mut buffer[..most]) => read,
                _ = self.mode.changed() => continue,
            };
            let Ok(length @ 1..) = read else {
                return false;
            };
            if !self.hold_back().await {
                return false;
            }
            let allowed = usize::try_from(self.left).map_or(length, |left| left.min(length));
            if self.writer.write_all(&buffer[..allowed]).await.is_err() {
                return false;
            }
            self.left -= allowed as u64;
            if self.left == 0 {
                return true;
            }
        }
    }

    /// Waits as long as the mode has it; `false` if the proxy is gone.
    async fn hold_back(&mut self) -> bool {
        let mode = *self.mode.borrow_and_update();
        match mode {
            Mode::Delay(delay) => sleep(delay).await,
            Mode::Throttle(_) => sleep(Duration::from_millis(100)).await,
            Mode::Stall => return self.until_it_is_not(Mode::Stall).await,
            Mode::Mute if self.carries_answers => return self.until_it_is_not(Mode::Mute).await,
            Mode::Pass | Mode::Mute | Mode::Refuse => {}
        }
        true
    }

    async fn until_it_is_not(&mut self, mode: Mode) -> bool {
        self.mode.wait_for(|now| *now != mode).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    /// A server that says back what it hears, and says how a connection ended.
    async fn echo() -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                connections.spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    tokio::io::copy(&mut reader, &mut writer).await
                });
            }
        });
        (address, tasks)
    }

    async fn proxied() -> (Proxy, TcpStream, JoinSet<()>) {
        let (address, tasks) = echo().await;
        let proxy = Proxy::start(address).await.unwrap();
        let stream = TcpStream::connect(proxy.address()).await.unwrap();
        (proxy, stream, tasks)
    }

    async fn says(stream: &mut TcpStream, text: &str) -> std::io::Result<String> {
        stream.write_all(text.as_bytes()).await?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).await?;
        Ok(String::from_utf8(answer).unwrap())
    }

    #[tokio::test]
    async fn what_stalls_comes_later_and_whole() {
        let (proxy, mut stream, _tasks) = proxied().await;
        assert_eq!(says(&mut stream, "one").await.unwrap(), "one");
        proxy.set(Mode::Stall);
        let nothing = timeout(Duration::from_millis(100), says(&mut stream, "two")).await;
        assert!(nothing.is_err());
        proxy.set(Mode::Pass);
        let mut two = [0; 3];
        stream.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"two");
    }

    #[tokio::test]
    async fn a_connection_is_reset_after_so_many_bytes_and_all_when_told() {
        let (address, _tasks) = echo().await;
        let proxy = Proxy::start(address).await.unwrap();
        proxy.plan(|number| Plan {
            reset_after: (number == 0).then_some(5),
            ..Plan::default()
        });
        let mut first = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut first, "four").await.unwrap(), "four");
        let error = says(&mut first, "more").await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        let mut second = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut second, "four more").await.unwrap(), "four more");
        proxy.reset_all();
        let error = second.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(proxy.cuts(), 2);
    }

    #[tokio::test]
    async fn what_is_muted_reaches_the_target_and_its_answer_nobody() {
        let (proxy, mut stream, _tasks) = proxied().await;
        proxy.set(Mode::Mute);
        let nothing = timeout(Duration::from_millis(100), says(&mut stream, "one")).await;
        assert!(nothing.is_err());
        proxy.reset_all();
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn who_is_refused_is_told_at_once() {
        let (proxy, _stream, _tasks) = proxied().await;
        proxy.set(Mode::Refuse);
        let tried = timeout(Duration::from_secs(5), async {
            let mut stream = TcpStream::connect(proxy.address()).await?;
            stream.read_u8().await
        });
        assert!(tried.await.unwrap().is_err());
    }
}
