//! Connections over a pipe, under paused time: what only shows after seconds and minutes.

use patter_protocol::UserInput;
use patter_session::{After, OpenOptions, SessionManager};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Reply, ScriptedModel};
use std::sync::Arc;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::auth::{Authenticator, Caller, Origin};
use crate::config::{Config, Sources};

/// A connection that runs, with the client's end of its pipe.
struct Running {
    sessions: SessionManager,
    session: SessionHandle,
    client: WebSocketStream<DuplexStream>,
    stop: CancellationToken,
    tasks: JoinSet<End>,
}

fn sessions(replies: impl IntoIterator<Item = Reply>) -> SessionManager {
    SessionManager::builder(MemoryStore::default(), ScriptedModel::new(replies)).start()
}

/// The credential of somebody who is not asked for one.
fn nobody() -> Credential {
    let config = Config::load(&Sources::none()).unwrap();
    let authenticator = Authenticator::new(&config, Arc::default()).unwrap();
    Credential::new(
        &authenticator,
        &Caller::anyone(Origin {
            address: [127, 0, 0, 1].into(),
            is_local: true,
        }),
    )
}

async fn connect(sessions: SessionManager) -> Running {
    let session_id = "connection".parse().unwrap();
    let session = sessions
        .open(session_id, OpenOptions::default())
        .await
        .unwrap();
    let attachment = session.attach(After::Start).await.unwrap();
    let (server_end, client_end) = duplex(1024);
    let socket = Socket::new(server_end).await;
    let stop = CancellationToken::new();
    let joining = Joining {
        session: session.clone(),
        attachment,
        credential: nobody(),
        pace: Pace::unlimited(),
        measures: Arc::default(),
        stop: stop.clone(),
        spans: Spans::begin(session.id()),
    };
    let connection = Box::new(Connection::new(socket, joining));
    let mut tasks = JoinSet::new();
    tasks.spawn(connection.run());
    let client = WebSocketStream::from_raw_socket(client_end, Role::Client, None).await;
    Running {
        sessions,
        session,
        client,
        stop,
        tasks,
    }
}

/// Reads up to an answer as a reader that is no connection does.
async fn answer_in(session: &SessionHandle) -> Frame {
    let mut attachment = session.attach(After::Start).await.unwrap();
    loop {
        match attachment.next().await {
            Delivery::Frame(frame) if frame.as_str().contains("\"type\":\"ai_response\"") => {
                return frame;
            }
            Delivery::Frame(_) => {}
            Delivery::Closed(code) => panic!("the session ended with {code:?}"),
        }
    }
}

impl Running {
    /// Reads, which answers pings, until the server closes; the close code.
    async fn closed_with(&mut self) -> u16 {
        loop {
            if let Message::Close(Some(frame)) = self.client.next().await.unwrap().unwrap() {
                return frame.code.into();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_left_and_its_answer_is_kept() {
    let long = "x".repeat(4_000);
    let mut running = connect(sessions([Reply::text([long.as_str(); 10])])).await;
    let start = Instant::now();
    running.session.say("Talk.").await.unwrap();
    running.tasks.join_next().await.unwrap().unwrap();
    assert_eq!(
        start.elapsed().as_secs(),
        15,
        "10 s for a write and 5 s for a goodbye"
    );

    let kept = answer_in(&running.session).await;
    assert!(kept.as_str().contains(&long.repeat(10)));
}

#[tokio::test(start_paused = true)]
async fn an_event_larger_than_every_buffer_arrives_whole() {
    let piece = "x\u{20ac}".repeat(12_500);
    let sessions = sessions([Reply::text([piece.as_str(); 20])]);
    let session = sessions.open("connection".parse().unwrap(), OpenOptions::default());
    let session = session.await.unwrap();
    session.say("Talk.").await.unwrap();
    let answer = answer_in(&session).await;
    assert!(answer.bytes().len() > 1_000_000);

    let mut running = connect(sessions).await;
    loop {
        let Message::Text(event) = running.client.next().await.unwrap().unwrap() else {
            continue;
        };
        if event.as_str() == answer.as_str() {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_events_that_wait_arrive_however_many_they_are() {
    let sessions = sessions(vec![Reply::text(["yes"]); 100]);
    let session = sessions.open("connection".parse().unwrap(), OpenOptions::default());
    let session = session.await.unwrap();
    for _ in 0..100 {
        session.say("Go on.").await.unwrap();
    }

    let mut running = connect(sessions).await;
    let mut next = 1;
    while next <= 200 {
        let Message::Text(event) = running.client.next().await.unwrap().unwrap() else {
            continue;
        };
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        if let Some(seq) = event["seq"].as_u64() {
            assert_eq!(seq, next);
            next += 1;
        }
    }
}

/// Input 18.
#[tokio::test(start_paused = true)]
async fn input_18_a_client_that_answers_no_ping_is_gone() {
    let mut running = connect(sessions([])).await;
    let start = Instant::now();
    running.tasks.join_next().await.unwrap().unwrap();
    assert_eq!(start.elapsed().as_secs(), 35);
}

#[tokio::test(start_paused = true)]
async fn input_17_a_frame_that_dribbles_in_is_not_waited_for() {
    let mut running = connect(sessions([])).await;
    let start = Instant::now();
    // A text of 100 bytes with a mask of zeros.
    let header = [0x81, 0x80 | 100, 0, 0, 0, 0];
    for byte in header.into_iter().chain([b' '; 24]) {
        let client = running.client.get_mut();
        client.write_all(&[byte]).await.unwrap();
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(running.closed_with().await, CloseCode::Idle.number());
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_for_half_an_hour_is_sent_away() {
    let mut running = connect(sessions([])).await;
    let start = Instant::now();
    assert_eq!(running.closed_with().await, CloseCode::Idle.number());
    assert_eq!(start.elapsed().as_secs(), 30 * 60);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_says_that_it_restarts() {
    let mut running = connect(sessions([])).await;
    running.stop.cancel();
    assert_eq!(running.closed_with().await, CloseCode::Restart.number());
}

#[tokio::test(start_paused = true)]
async fn an_answer_reaches_the_client_and_a_drain_its_session() {
    let mut running = connect(sessions([Reply::text(["a", "b", "c"])])).await;
    running
        .session
        .submit(ClientMessage::UserMessage(UserInput::text("Talk.")))
        .await
        .unwrap();
    let mut text = String::new();
    while text != "abc" {
        let Some(Ok(Message::Text(event))) = running.client.next().await else {
            continue;
        };
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        if event["type"] == "token" {
            text.push_str(event["content"].as_str().unwrap());
        }
    }
    running.sessions.shutdown(Duration::from_secs(10)).await;
    assert_eq!(running.closed_with().await, CloseCode::Restart.number());
}
