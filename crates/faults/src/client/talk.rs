//! The task of a client: connect, listen and speak, come back.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::Habits;
use super::state::State;
use crate::history::{ConnectionLog, End, Refusal, text};
use crate::moment::Moment;

/// Longest wait for a connection and its handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// So many messages may be on their way and not acknowledged: as many as a session lets wait.
const WINDOW: usize = 8;
/// A message that was refused for now is tried again after so long.
const REFUSED_PAUSE: Duration = Duration::from_millis(200);

/// What a client is told to do.
#[derive(Debug)]
pub(super) enum Command {
    /// There is something new to say.
    Speak,
    Repeat {
        id: String,
        content: String,
    },
    Send(Value),
    Cut,
    Read(bool),
    Leave,
}

/// What comes after a connection.
enum Next {
    Done,
    ComeBack { within: Option<Duration> },
}

type Stream = WebSocketStream<TcpStream>;

/// The task's own.
pub(super) struct Talk {
    session_id: String,
    habits: Habits,
    state: Arc<State>,
    commands: mpsc::Receiver<Command>,
    random: fastrand::Rng,
    target: usize,
    pause: Duration,
    reads: bool,
    /// Messages that were sent on this connection and are neither acknowledged nor refused.
    on_their_way: HashSet<String>,
    /// Nothing more is sent before, because the server refused something for now.
    again_at: Option<Instant>,
}

impl Talk {
    pub(super) fn new(
        session_id: String,
        habits: Habits,
        state: Arc<State>,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        Self {
            session_id,
            random: fastrand::Rng::with_seed(habits.seed),
            pause: habits.first_pause,
            habits,
            state,
            commands,
            target: 0,
            reads: true,
            on_their_way: HashSet::new(),
            again_at: None,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let target = self.habits.targets[self.target % self.habits.targets.len()];
            let mut elsewhere = self.random.f64() < self.habits.wander;
            let pause = match self.open(target).await {
                Ok(stream) => match self.talk(stream).await {
                    Next::Done => return,
                    Next::ComeBack { within } => within.map(|most| self.up_to(most)),
                },
                Err(refusal) => {
                    elsewhere = true;
                    let retry_after = match &refusal {
                        // Half a second for each that is asked for: tests are short.
                        Refusal::Status { retry_after, .. } => {
                            retry_after.map(|seconds| Duration::from_millis(500 * seconds.min(4)))
                        }
                        Refusal::Unreachable => None,
                    };
                    self.state.on_refusal(refusal);
                    retry_after
                }
            };
            if elsewhere {
                let others = self.habits.targets.len().max(2) - 1;
                self.target += 1 + self.random.usize(..others);
            }
            let pause = pause.unwrap_or_else(|| self.next_pause());
            if self.wait(pause).await {
                return;
            }
        }
    }

    /// A pause that grows from loss to loss, with scatter.
    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(self.habits.longest_pause);
        pause / 2 + self.up_to(pause / 2)
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        most.mul_f64(self.random.f64())
    }

    /// Waits without a connection; `true` if the client leaves meanwhile.
    async fn wait(&mut self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        loop {
            tokio::select! {
                () = sleep_until(end) => return false,
                command = self.commands.recv() => match command {
                    Some(Command::Read(reads)) => self.reads = reads,
                    Some(Command::Leave) | None => return true,
                    // Nothing can be sent or cut without a connection.
                    Some(_) => {}
                },
            }
        }
    }

    async fn open(&self, target: SocketAddr) -> Result<Stream, Refusal> {
        let (after, epoch) = self.state.look(|view| (view.last_seq, view.epoch.clone()));
        let query = match epoch {
            Some(epoch) => format!("?after={after}&epoch={epoch}"),
            None => String::new(),
        };
        let url = format!("ws://{target}/ws/session/{}{query}", self.session_id);
        let opened = timeout(CONNECT_TIMEOUT, async {
            let stream = TcpStream::connect(target)
                .await
                .map_err(|_| Refusal::Unreachable)?;
            let _ = stream.set_nodelay(true);
            client_async(url, stream)
                .await
                .map_err(|error| refusal(&error))
        });
        let (stream, _response) = opened.await.unwrap_or(Err(Refusal::Unreachable))?;
        self.state.change(|view| {
            view.log.connections.push(ConnectionLog {
                node: target.to_string(),
                after,
                opened_at: Moment::now(),
                frames: Vec::new(),
                end: None,
            });
        });
        Ok(stream)
    }

    /// Listens and speaks until the connection ends.
    async fn talk(&mut self, mut stream: Stream) -> Next {
        let (end, next) = self.exchange(&mut stream).await;
        self.state.on_end(end);
        match end {
            End::Left => {
                // The server answers the close, or not.
                let goodbye = async {
                    if stream.close(None).await.is_ok() {
                        while let Some(Ok(_)) = stream.next().await {}
                    }
                };
                let _late = timeout(Duration::from_secs(2), goodbye).await;
            }
            End::Cut => {
                let _ = stream.get_ref().set_zero_linger();
            }
            End::Closed(_) => {
                let rest = async { while let Some(Ok(_)) = stream.next().await {} };
                let _late = timeout(Duration::from_secs(2), rest).await;
            }
        }
        next
    }

    async fn exchange(&mut self, stream: &mut Stream) -> (End, Next) {
        const LOST: (End, Next) = (End::Cut, Next::ComeBack { within: None });
        self.on_their_way.clear();
        self.again_at = None;
        let mut is_ready = false;
        loop {
            if is_ready && self.send_waiting(stream).await.is_err() {
                return LOST;
            }
            let again_at = self.again_at;
            tokio::select! {
                message = stream.next(), if self.reads => match message {
                    Some(Ok(Message::Text(text))) => {
                        let Ok(frame) = serde_json::from_str::<Value>(&text) else {
                            return (End::Closed(0), Next::Done);
                        };
                        is_ready = true;
                        self.on_frame(frame);
                    }
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map_or(1005, |frame| frame.code.into());
                        return (End::Closed(code), self.after_close(code));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return LOST,
                },
                () = async { sleep_until(again_at.unwrap_or_else(Instant::now)).await },
                    if again_at.is_some() => self.again_at = None,
                command = self.commands.recv() => {
                    let done = match command {
                        Some(Command::Speak) => Ok(()),
                        Some(Command::Repeat { id, content }) => self.send(stream, &id, &content).await,
                        Some(Command::Send(frame)) => {
                            if frame["type"] == "regenerate" {
                                self.state.change(|view| view.log.regenerated += 1);
                            }
                            stream.send(Message::text(frame.to_string())).await
                        }
                        Some(Command::Read(reads)) => {
                            self.reads = reads;
                            Ok(())
                        }
                        Some(Command::Cut) => return LOST,
                        Some(Command::Leave) | None => return (End::Left, Next::Done),
                    };
                    if done.is_err() {
                        return LOST;
                    }
                }
            }
        }
    }

    fn on_frame(&mut self, frame: Value) {
        match text(&frame, "type") {
            "session_ready" => self.pause = self.habits.first_pause,
            "user_message" => {
                self.on_their_way.remove(text(&frame, "id"));
            }
            "error" if frame["retryable"] == true => {
                self.on_their_way.remove(text(&frame, "message_id"));
                self.again_at = Some(Instant::now() + REFUSED_PAUSE);
            }
            _ => {}
        }
        self.state.on_frame(frame);
    }

    /// Sends what is not acknowledged, oldest first, as much as may be on its way.
    async fn send_waiting(&mut self, stream: &mut Stream) -> Result<(), Error> {
        if self.again_at.is_some() || self.on_their_way.len() >= WINDOW {
            return Ok(());
        }
        let room = WINDOW - self.on_their_way.len();
        let waiting: Vec<(String, String)> = self.state.look(|view| {
            view.unacknowledged
                .iter()
                .filter(|(id, _)| !self.on_their_way.contains(id))
                .take(room)
                .cloned()
                .collect()
        });
        for (id, content) in waiting {
            self.send(stream, &id, &content).await?;
            self.on_their_way.insert(id);
        }
        Ok(())
    }

    async fn send(&self, stream: &mut Stream, id: &str, content: &str) -> Result<(), Error> {
        self.state.on_sent(id, content);
        let frame = json!({"type": "user_message", "id": id, "content": content});
        // A server that does not read must not hold the client for ever.
        let sent = timeout(
            CONNECT_TIMEOUT,
            stream.send(Message::text(frame.to_string())),
        );
        sent.await.unwrap_or(Err(Error::ConnectionClosed))
    }

    fn after_close(&self, code: u16) -> Next {
        match code {
            1012 => Next::ComeBack {
                within: Some(self.habits.restart_spread),
            },
            1000 | 1002 | 1003 | 1007 | 1008 | 1009 | 4401 | 4403 => Next::Done,
            _ => Next::ComeBack { within: None },
        }
    }
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::Http(response) => Refusal::Status {
            status: response.status().as_u16(),
            retry_after: response
                .headers()
                .get("retry-after")
                .and_then(|value| value.to_str().ok()?.parse().ok()),
        },
        _ => Refusal::Unreachable,
    }
}
