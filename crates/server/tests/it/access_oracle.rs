//! Two users, two services and a stranger do anything to any session, in any order: over every route and by every
//! frame. What must come of each act is told by a model; nobody sees a word of what is not theirs, and what was
//! refused has changed nothing. `PROPTEST_CASES=2500` looks longer: there is one case for each 25 of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use patter_testkit::ws_client::WsClient;
use proptest::prelude::*;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::callers::{Who, World, token};
use crate::support::identity::{ALICE, BOB};
use crate::support::oracle::{Act, Frame, Known, Model, Target, What, act};

/// What was answered; all that came over a WebSocket, where one was opened.
struct Answer {
    status: u16,
    body: String,
}

/// How often it is looked for what is not there yet.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The word of the session that is there as a file.
const SAMPLE: &str = "sample";

fn message(word: &str) -> String {
    format!("{word} hello")
}

struct Case {
    world: World,
    model: Model,
    /// A session as a file.
    file: String,
    /// The next word that is said, or title that is given.
    word: String,
}

impl Case {
    async fn new(client_ids: bool) -> Self {
        let setting = if client_ids { "true" } else { "false" };
        let world = World::new(&[("session.client_ids", setting)]).await;
        let sample = world.spoken(None, &message(SAMPLE)).await;
        let export = format!("/api/sessions/{sample}/export?format=jsonl");
        let file = world.request(Who::Actor, Method::GET, &export);
        let file = file.send().await.unwrap().text().await.unwrap();
        let delete = world.request(
            Who::Actor,
            Method::DELETE,
            &format!("/api/sessions/{sample}"),
        );
        assert_eq!(world.status(delete).await, 204);
        let model = Model {
            sessions: Vec::new(),
            gone: Vec::new(),
            client_ids,
        };
        Self {
            world,
            model,
            file,
            word: String::new(),
        }
    }

    /// Somebody does something, and everything about it is as it must be.
    async fn perform(&mut self, act: &Act) {
        let id = self.model.id_of(act.target);
        let expected = self.model.expected(act, &id);
        let before = self.stored(&id).await;
        self.word = format!("word{}", Uuid::new_v4().simple());
        let answer = match act.what {
            What::Socket(frame) => self.over_websocket(act, &id, frame, None).await,
            What::Ticket => self.by_ticket(act, &id, expected).await,
            _ => self.over_http(act, &id).await,
        };
        assert_eq!(answer.status, expected, "{act:?}: {}", answer.body);
        self.assert_nothing_foreign(act, &id, &answer.body);
        if expected >= 400 {
            assert_eq!(self.stored(&id).await, before, "{act:?} was refused");
        } else {
            self.note(act, &id, &answer);
        }
    }

    /// All that there is of a session, for whom everything is told. One that was just opened is ready before its
    /// first event is stored, and is waited for.
    async fn stored(&self, id: &str) -> Option<Value> {
        self.model.session(id)?;
        let begun = async {
            loop {
                let all = self.world.everything(id).await;
                let session = &all["session"];
                if session["is_live"] != json!(true) || session["last_seq"] != json!(0) {
                    return all;
                }
                sleep(LOOK_EVERY).await;
            }
        };
        Some(timeout(PATIENCE, begun).await.unwrap())
    }

    fn asked(&self, act: &Act, id: &str) -> RequestBuilder {
        let user = act.user.map(|user| format!("user_id={user}"));
        let user = user.unwrap_or_default();
        let to = |method, path: &str| self.world.request(act.who, method, path);
        let of = |method, rest: &str| to(method, &format!("/api/sessions/{id}{rest}"));
        match act.what {
            What::Show => of(Method::GET, ""),
            What::Both => to(Method::GET, &format!("/api/session/{id}")),
            What::Events => of(Method::GET, "/events"),
            What::Export => of(Method::GET, "/export?format=jsonl"),
            What::Rename => {
                of(Method::PATCH, "").json(&json!({ "metadata": { "title": self.word } }))
            }
            What::End => of(Method::POST, "/end"),
            What::Delete => of(Method::DELETE, ""),
            What::Say => {
                let say = json!({ "content": message(&self.word) });
                of(Method::POST, &format!("/messages?{user}")).json(&say)
            }
            What::Ticket => to(Method::POST, "/api/ws-ticket")
                .json(&json!({ "session_id": id, "user_id": act.user })),
            What::Usage => to(Method::GET, &format!("/api/usage?{user}")),
            What::UsageOfSession => to(Method::GET, &format!("/api/usage?session_id={id}&{user}")),
            What::Mint => to(Method::POST, "/api/sessions").json(&json!({ "user_id": act.user })),
            What::Import => to(Method::POST, &format!("/api/import?session_id={id}&{user}"))
                .header("Content-Type", "application/jsonl")
                .body(self.file.clone()),
            What::List => to(Method::GET, &format!("/api/sessions?limit=100&{user}")),
            What::Search => {
                let wanted = self.searched(id);
                to(
                    Method::GET,
                    &format!("/api/search?limit=100&q={wanted}&{user}"),
                )
            }
            What::Analytics => to(Method::GET, &format!("/api/analytics?bucket=all&{user}")),
            What::Socket(_) => self.world.handshake(act.who, id, &format!("?{user}")),
        }
    }

    /// A word that was said in this session; one that was not, where none was.
    fn searched(&self, id: &str) -> String {
        let said = self.model.session(id).and_then(|it| it.said.last());
        said.cloned().unwrap_or_else(|| "hello".to_owned())
    }

    async fn over_http(&self, act: &Act, id: &str) -> Answer {
        let answer = self.asked(act, id).send().await.unwrap();
        Answer {
            status: answer.status().as_u16(),
            body: answer.text().await.unwrap(),
        }
    }

    /// Opens a WebSocket, by a ticket if there is one, and sends a frame.
    async fn over_websocket(
        &self,
        act: &Act,
        id: &str,
        frame: Frame,
        ticket: Option<&str>,
    ) -> Answer {
        let user = act.user.filter(|_| ticket.is_none());
        let user = user
            .map(|user| format!("user_id={user}"))
            .unwrap_or_default();
        let mut query = format!("?{user}");
        if let Frame::After(seq) = frame {
            query += &format!("&after={seq}");
        }
        if let Some(ticket) = ticket {
            query += &format!("&ticket={ticket}");
        }
        // A ticket is good once: it is shown by whoever speaks.
        if ticket.is_none() {
            let refused = self
                .world
                .handshake(act.who, id, &query)
                .send()
                .await
                .unwrap();
            if refused.status() != 101 {
                return Answer {
                    status: refused.status().as_u16(),
                    body: refused.text().await.unwrap(),
                };
            }
        }
        let url = format!("ws://{}/ws/session/{id}{query}", self.world.server.address);
        let client = match ticket {
            Some(_) => WsClient::connect(&url).await,
            None => {
                let bearer = format!("Bearer {}", token(act.who).unwrap());
                WsClient::connect_with(&url, "authorization", &bearer).await
            }
        };
        let events = self.conversation(client, act, frame).await;
        let told = |it: &Value| it["session_id"].as_str().is_none_or(|told| told == id);
        assert!(events.iter().all(told), "{act:?}: {events:?}");
        Answer {
            status: 101,
            body: json!(events).to_string(),
        }
    }

    /// Reads what is told of the past, sends a frame, and reads what comes of it.
    async fn conversation(&self, mut client: WsClient, act: &Act, frame: Frame) -> Vec<Value> {
        let mut events = client.until("session_ready").await;
        let last = events.last().unwrap()["last_seq"].as_u64().unwrap();
        let behind = match frame {
            Frame::After(seq) => seq,
            _ => 0,
        };
        while last > behind && events.last().unwrap()["seq"].as_u64() != Some(last) {
            events.push(client.next().await);
        }
        let wanted = match frame {
            Frame::Say => {
                client.say(&self.word, &message(&self.word)).await;
                &["ai_response"][..]
            }
            Frame::Cancel => {
                client.send(json!({ "type": "cancel" })).await;
                &["error"]
            }
            Frame::Regenerate => {
                client.send(json!({ "type": "regenerate" })).await;
                &["ai_response", "error"]
            }
            Frame::Approval => {
                let call_id = Uuid::new_v4();
                let approval =
                    json!({ "type": "tool_approval", "call_id": call_id, "approve": true });
                client.send(approval).await;
                &["error"]
            }
            Frame::End => {
                client.send(json!({ "type": "end" })).await;
                let (rest, code) = client.until_closed().await;
                assert_eq!(code, Some(1000));
                events.extend(rest);
                return events;
            }
            Frame::Refresh(other) => {
                let token = token(other).unwrap_or_else(|| "nobody".to_owned());
                client
                    .send(json!({ "type": "auth_refresh", "token": token }))
                    .await;
                if other == act.who {
                    &[][..]
                } else {
                    &["error"]
                }
            }
            Frame::After(_) => &[],
        };
        if wanted.is_empty() {
            client.send(json!({ "type": "ping" })).await;
        }
        loop {
            let event = client.next().await;
            let kind = event["type"].as_str().unwrap().to_owned();
            events.push(event);
            if wanted.contains(&kind.as_str()) || (wanted.is_empty() && kind == "pong") {
                break;
            }
            assert_ne!(kind, "error", "{act:?}: {events:?}");
        }
        client.close().await;
        events
    }

    /// Gets a ticket, and opens what it is for as whom it is for.
    async fn by_ticket(&mut self, act: &Act, id: &str, expected: u16) -> Answer {
        let issued = self.over_http(act, id).await;
        if expected != 201 || issued.status != 201 {
            return issued;
        }
        let body: Value = serde_json::from_str(&issued.body).unwrap();
        let what = What::Socket(Frame::After(0));
        let holder = Act {
            what,
            ..act.clone()
        };
        let ticket = body["ticket"].as_str().unwrap();
        if self.model.expected(&holder, id) == 101 {
            let told = self
                .over_websocket(&holder, id, Frame::After(0), Some(ticket))
                .await;
            self.assert_nothing_foreign(act, id, &told.body);
            self.model.begun(id, act.owner());
        } else {
            let query = format!("?ticket={ticket}");
            let refused = self.world.handshake(Who::Nobody, id, &query);
            assert_eq!(self.world.status(refused).await, 403);
        }
        issued
    }

    /// Nobody reads a word or an id of a session that is not theirs, but for the id that they named themselves.
    fn assert_nothing_foreign(&self, act: &Act, named: &str, body: &str) {
        let (own, foreign): (Vec<_>, Vec<_>) = self
            .model
            .there()
            .partition(|it| it.is_readable_by(act.who));
        let words = |sessions: &[&Known]| -> BTreeSet<String> {
            sessions.iter().flat_map(|it| it.words()).cloned().collect()
        };
        let mut hidden: BTreeSet<_> = self.model.gone.iter().cloned().collect();
        hidden.extend(words(&foreign));
        hidden.extend(foreign.iter().map(|it| it.id.clone()));
        let known = words(&own);
        let is_named = |it: &str| it == named && act.what == What::Ticket;
        for word in hidden.difference(&known).filter(|it| !is_named(it)) {
            assert!(!body.contains(word), "{act:?}: {word} is in {body}");
        }
    }

    /// What was granted is what was asked for, and the model knows of it.
    fn note(&mut self, act: &Act, id: &str, answer: &Answer) {
        let word = self.word.clone();
        let body = || -> Value { serde_json::from_str(&answer.body).unwrap() };
        let is_told = |it: &&Known| {
            it.is_readable_by(act.who) && act.owner().is_none_or(|user| it.owner == Some(user))
        };
        match act.what {
            What::Rename => self.model.begun(id, None).title = Some(word),
            What::Delete => self.model.deleted(id),
            What::Say | What::Socket(Frame::Say) => {
                self.model.begun(id, act.owner()).said.push(word);
            }
            What::Socket(_) => drop(self.model.begun(id, act.owner())),
            What::Mint | What::Import => {
                let made = body();
                let made = made["session_id"].as_str().unwrap();
                assert!(self.model.session(made).is_none(), "{made} was there");
                let session = self.model.begun(made, act.owner());
                if act.what == What::Import {
                    session.said.push(SAMPLE.to_owned());
                }
            }
            What::Show => assert_eq!(body()["session_id"], id),
            What::Both => assert_eq!(body()["session"]["session_id"], id),
            What::Usage => assert_eq!(body()["user_id"], json!(act.owner())),
            What::Events | What::Export => {
                let said = &self.model.session(id).unwrap().said;
                assert!(said.iter().all(|word| answer.body.contains(word)));
            }
            What::List => {
                let expected = self.model.there().filter(is_told).map(|it| it.id.clone());
                assert_eq!(ids_in(&body()["sessions"]), expected.collect());
            }
            What::Search => {
                let wanted = self.searched(id);
                let has_it = |it: &&Known| match wanted.as_str() {
                    "hello" => !it.said.is_empty(),
                    word => it.said.iter().any(|said| said == word),
                };
                let expected = self.model.there().filter(is_told).filter(has_it);
                let expected = expected.map(|it| it.id.clone()).collect();
                assert_eq!(ids_in(&body()["hits"]), expected);
            }
            What::Analytics => {
                let messages = self.model.there().filter(is_told).map(|it| it.said.len());
                let row = &body()["rows"][0];
                let counted = row["user_messages"].as_u64().unwrap_or(0);
                assert_eq!(counted, messages.sum::<usize>() as u64, "{row}");
            }
            What::End | What::UsageOfSession | What::Ticket => {}
        }
    }

    /// The store has what the model has.
    async fn assert_as_in_the_model(&self) {
        for session in &self.model.sessions {
            if session.is_deleted {
                let path = format!("/api/sessions/{}", session.id);
                let request = self.world.request(Who::Actor, Method::GET, &path);
                assert_eq!(self.world.status(request).await, 404);
                continue;
            }
            let stored = self.world.everything(&session.id).await;
            assert_eq!(stored["session"]["user_id"], json!(session.owner));
            let title = &stored["session"]["metadata"]["title"];
            assert_eq!(*title, json!(session.title));
            let events = stored["events"].as_array().unwrap().iter();
            let said = events.filter(|it| it["type"] == "user_message");
            let said: Vec<_> = said.filter_map(|it| it["content"].as_str()).collect();
            let expected: Vec<_> = session.said.iter().map(|it| message(it)).collect();
            assert_eq!(said, expected);
        }
    }
}

fn ids_in(list: &Value) -> BTreeSet<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|it| it["session_id"].as_str().unwrap().to_owned())
        .collect()
}

/// Sessions of both users and of nobody, one of which is ended, and one was never spoken in.
fn beginning() -> Vec<Act> {
    let act = |who, what, place, user| Act {
        who,
        what,
        target: Target::Known(place),
        user,
    };
    let mut acts = vec![
        act(Who::Alice, What::Mint, 0, None),
        act(Who::Bob, What::Mint, 0, None),
        act(Who::Actor, What::Mint, 0, None),
        act(Who::Actor, What::Mint, 0, Some(BOB)),
        act(Who::Actor, What::Mint, 0, Some(ALICE)),
    ];
    acts.extend((0..4).map(|place| act(Who::Actor, What::Say, place, None)));
    acts.extend((0..3).map(|place| act(Who::Actor, What::Rename, place, None)));
    acts.push(act(Who::Bob, What::End, 3, None));
    acts
}

async fn run(acts: &[Act], client_ids: bool) {
    let mut case = Case::new(client_ids).await;
    for act in beginning().iter().chain(acts) {
        case.perform(act).await;
    }
    case.assert_as_in_the_model().await;
    case.world.server.stop().await;
}

fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases / 25,
        failure_persistence: None,
        ..usual
    }
}

proptest! {
    #![proptest_config(config())]

    /// Input 45.
    #[test]
    fn whatever_is_done_by_whom_in_any_order_is_answered_as_the_model_has_it(
        acts in prop::collection::vec(act(), 20..50),
        client_ids in any::<bool>(),
    ) {
        Runtime::new().unwrap().block_on(run(&acts, client_ids));
    }
}
