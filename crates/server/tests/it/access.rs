//! Who may have which session: every caller, on every route, with every form of an id, against a table that
//! says what must come of it. Inputs 45 and 86 of the list of attacks are among it. `access_oracle.rs` does the same
//! in any order, with all that there is to ask.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::callers::{Who, World};
use crate::support::identity::{ALICE, BOB};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Show,
    Both,
    Events,
    Export,
    Rename,
    End,
    Delete,
    Say,
    Socket,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    OwnLive,
    OwnOver,
    ForeignLive,
    ForeignOver,
    ForeignNeverOpened,
    Ownerless,
    Unknown,
    Malformed,
}

const CALLERS: [Who; 5] = [Who::Nobody, Who::Alice, Who::Bob, Who::Reader, Who::Actor];
const ROUTES: [Asked; 9] = [
    Asked::Show,
    Asked::Both,
    Asked::Events,
    Asked::Export,
    Asked::Rename,
    Asked::End,
    Asked::Delete,
    Asked::Say,
    Asked::Socket,
];
const FORMS: [Form; 8] = [
    Form::OwnLive,
    Form::OwnOver,
    Form::ForeignLive,
    Form::ForeignOver,
    Form::ForeignNeverOpened,
    Form::Ownerless,
    Form::Unknown,
    Form::Malformed,
];

/// What must come of it.
fn expected(who: Who, asked: Asked, form: Form, client_ids: bool) -> u16 {
    let granted = match asked {
        Asked::Delete => 204,
        Asked::Socket => 101,
        _ => 200,
    };
    let begins = matches!(asked, Asked::Say | Asked::Socket);
    let acts = begins || matches!(asked, Asked::Rename | Asked::End | Asked::Delete);
    let is_own = match who {
        Who::Alice | Who::Bob => matches!(form, Form::OwnLive | Form::OwnOver),
        _ => form != Form::Unknown,
    };
    match (who, form) {
        // Which session a ticket must be for is read before who asks.
        (Who::Nobody, Form::Malformed) if asked == Asked::Socket => 400,
        (Who::Nobody, _) => 401,
        (_, Form::Malformed) => 400,
        (Who::Reader, _) if acts => 403,
        (_, Form::Unknown) if begins && client_ids => granted,
        _ if is_own => granted,
        _ if asked == Asked::Socket => 403,
        _ => 404,
    }
}

impl World {
    async fn session(&self, who: Who, form: Form) -> String {
        let (own, other) = match who {
            Who::Bob => (BOB, ALICE),
            _ => (ALICE, BOB),
        };
        let id = match form {
            Form::OwnLive | Form::OwnOver => self.spoken(Some(own), "hello").await,
            Form::ForeignLive | Form::ForeignOver => self.spoken(Some(other), "hello").await,
            Form::ForeignNeverOpened => self.minted(Some(other)).await,
            Form::Ownerless => self.spoken(None, "hello").await,
            Form::Unknown => format!("unknown-{}", Uuid::new_v4()),
            Form::Malformed => "-x".to_owned(),
        };
        if matches!(form, Form::OwnOver | Form::ForeignOver) {
            let path = format!("/api/sessions/{id}/end");
            let ended = self.status(self.request(Who::Actor, Method::POST, &path));
            assert_eq!(ended.await, 200);
        }
        id
    }

    fn ask(&self, who: Who, asked: Asked, id: &str) -> RequestBuilder {
        let of =
            |method, rest: &str| self.request(who, method, &format!("/api/sessions/{id}{rest}"));
        match asked {
            Asked::Show => of(Method::GET, ""),
            Asked::Both => self.request(who, Method::GET, &format!("/api/session/{id}")),
            Asked::Events => of(Method::GET, "/events"),
            Asked::Export => of(Method::GET, "/export?format=jsonl"),
            Asked::Rename => of(Method::PATCH, "").json(&json!({ "metadata": { "title": "x" } })),
            Asked::End => of(Method::POST, "/end"),
            Asked::Delete => of(Method::DELETE, ""),
            Asked::Say => of(Method::POST, "/messages").json(&json!({ "content": "hi" })),
            Asked::Socket => self.handshake(who, id, ""),
        }
    }
}

/// Every caller on every route with every form of an id. What was refused changed nothing, and says of what
/// is not the caller's what it says of what there is not.
async fn compare_with_the_table(client_ids: bool) {
    let setting = [(
        "session.client_ids",
        if client_ids { "true" } else { "false" },
    )];
    let world = World::new(&setting).await;
    for who in CALLERS {
        let mut refusals: BTreeMap<(Asked, u16), Value> = BTreeMap::new();
        for (asked, form) in ROUTES
            .iter()
            .flat_map(|asked| FORMS.map(|form| (*asked, form)))
        {
            let id = world.session(who, form).await;
            let is_there = !matches!(form, Form::Unknown | Form::Malformed);
            let before = if is_there {
                world.everything(&id).await
            } else {
                Value::Null
            };
            let answer = world.ask(who, asked, &id).send().await.unwrap();
            let status = answer.status().as_u16();
            let case = format!("{who:?} {asked:?} {form:?} client_ids={client_ids}");
            assert_eq!(status, expected(who, asked, form, client_ids), "{case}");
            if !matches!(status, 401 | 403 | 404) {
                continue;
            }
            if is_there {
                assert_eq!(world.everything(&id).await, before, "{case}");
            }
            let mut body: Value = answer.json().await.unwrap();
            body.as_object_mut().unwrap().remove("request_id");
            assert!(!body.to_string().contains(&id), "{case}: {body}");
            let known = refusals
                .entry((asked, status))
                .or_insert_with(|| body.clone());
            assert_eq!(*known, body, "{case}");
        }
    }
    world.server.stop().await;
}

/// Input 45.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_gets_what_the_table_says_where_clients_choose_ids() {
    compare_with_the_table(true).await;
}

/// Input 45.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_gets_what_the_table_says_where_only_the_server_makes_ids() {
    compare_with_the_table(false).await;
}

#[tokio::test]
async fn a_deleted_session_is_as_unknown_as_any_where_only_the_server_makes_ids() {
    let world = World::new(&[("session.client_ids", "false")]).await;
    let id = world.spoken(Some(BOB), "hello").await;
    let deleted = world.ask(Who::Bob, Asked::Delete, &id);
    assert_eq!(world.status(deleted).await, 204);
    for who in [Who::Alice, Who::Bob, Who::Actor] {
        assert_eq!(world.status(world.ask(who, Asked::Socket, &id)).await, 403);
        assert_eq!(world.status(world.ask(who, Asked::Say, &id)).await, 404);
        assert_eq!(world.status(world.ask(who, Asked::Show, &id)).await, 404);
    }
    world.server.stop().await;
}

#[tokio::test]
async fn lists_search_and_figures_are_the_callers_own() {
    let world = World::new(&[]).await;
    let alices = world.spoken(Some(ALICE), "the heron of alice").await;
    let bobs = world.spoken(Some(BOB), "the heron of bob").await;
    let nobodys = world.spoken(None, "the heron of nobody").await;
    let ids = |page: &Value, list: &str| -> Vec<String> {
        let items = page[list].as_array().unwrap().iter();
        let mut ids: Vec<String> = items
            .map(|item| item["session_id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids.dedup();
        ids
    };
    let mut all = vec![alices.clone(), bobs.clone(), nobodys];
    all.sort();
    for (who, asked, own) in [
        (Who::Alice, String::new(), vec![alices.clone()]),
        (Who::Alice, format!("&user_id={ALICE}"), vec![alices]),
        (Who::Bob, String::new(), vec![bobs.clone()]),
        (Who::Reader, String::new(), all.clone()),
        (Who::Reader, format!("&user_id={BOB}"), vec![bobs]),
        (Who::Actor, String::new(), all),
    ] {
        let page = world
            .get(who, &format!("/api/sessions?limit=10{asked}"))
            .await;
        assert_eq!(ids(&page, "sessions"), own, "{who:?} {asked}");
        let found = world.get(who, &format!("/api/search?q=heron{asked}")).await;
        assert_eq!(ids(&found, "hits"), own, "{who:?} {asked}");
        let figures = world
            .get(who, &format!("/api/analytics?bucket=all{asked}"))
            .await;
        assert_eq!(figures["rows"][0]["sessions"], own.len(), "{who:?} {asked}");
    }
    for path in ["/api/sessions?", "/api/search?q=heron&", "/api/analytics?"] {
        let foreign = world.request(Who::Alice, Method::GET, &format!("{path}user_id={BOB}"));
        assert_eq!(world.status(foreign).await, 403, "{path}");
        let nobody = world.request(Who::Nobody, Method::GET, path);
        assert_eq!(world.status(nobody).await, 401, "{path}");
    }
    // Input 86: the page of another user's list leads to nothing but one's own.
    let page = world.get(Who::Actor, "/api/sessions?limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = world
        .get(Who::Alice, &format!("/api/sessions?cursor={cursor}"))
        .await;
    for session in next["sessions"].as_array().unwrap() {
        assert_eq!(session["user_id"], ALICE);
    }
    world.server.stop().await;
}

#[tokio::test]
async fn what_a_user_makes_is_the_users_and_a_service_names_whose_it_is() {
    let world = World::new(&[]).await;
    let mint = |who, body: Value| {
        world
            .request(who, Method::POST, "/api/sessions")
            .json(&body)
    };
    for (who, body, status) in [
        (Who::Alice, json!({}), 201),
        (Who::Alice, json!({ "user_id": ALICE }), 201),
        (Who::Alice, json!({ "user_id": BOB }), 403),
        (Who::Reader, json!({}), 403),
        (Who::Actor, json!({ "user_id": BOB }), 201),
    ] {
        assert_eq!(
            world.status(mint(who, body.clone())).await,
            status,
            "{who:?} {body}"
        );
    }
    let minted = mint(Who::Alice, json!({})).send().await.unwrap();
    let minted: Value = minted.json().await.unwrap();
    let id = minted["session_id"].as_str().unwrap();
    assert_eq!(world.everything(id).await["session"]["user_id"], ALICE);

    // A service that acts in the name of a user has that user's sessions alone.
    let say = |who, rest: &str| {
        let path = format!("/api/sessions/{rest}");
        world
            .request(who, Method::POST, &path)
            .json(&json!({ "content": "hi" }))
    };
    let as_bob = say(Who::Actor, &format!("{id}/messages?user_id={BOB}"));
    assert_eq!(world.status(as_bob).await, 404);
    let as_alice = say(Who::Actor, &format!("{id}/messages?user_id={ALICE}"));
    assert_eq!(world.status(as_alice).await, 200);
    let begun = say(Who::Actor, &format!("begun/messages?user_id={BOB}"));
    assert_eq!(world.status(begun).await, 200);
    assert_eq!(world.everything("begun").await["session"]["user_id"], BOB);
    let forged = say(Who::Alice, &format!("forged/messages?user_id={BOB}"));
    assert_eq!(world.status(forged).await, 403);

    for (who, status) in [(Who::Alice, 403), (Who::Reader, 200), (Who::Nobody, 401)] {
        let metrics = world.request(who, Method::GET, "/metrics");
        assert_eq!(world.status(metrics).await, status, "{who:?}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_file_becomes_the_users_own_session_and_takes_nobodys_place() {
    let world = World::new(&[]).await;
    let bobs = world.spoken(Some(BOB), "hello").await;
    let file = world
        .ask(Who::Bob, Asked::Export, &bobs)
        .send()
        .await
        .unwrap();
    let file = file.text().await.unwrap();
    let import = |who, query: &str| {
        let path = format!("/api/import{query}");
        let request = world.request(who, Method::POST, &path);
        request
            .header("Content-Type", "application/jsonl")
            .body(file.clone())
    };
    assert_eq!(
        world.status(import(Who::Alice, "")).await,
        403,
        "a foreign id"
    );
    assert_eq!(world.status(import(Who::Bob, "")).await, 409, "an own id");
    assert_eq!(
        world.status(import(Who::Reader, "?session_id=a")).await,
        403
    );
    let foreign = format!("?session_id=b&user_id={BOB}");
    assert_eq!(world.status(import(Who::Alice, &foreign)).await, 403);
    assert_eq!(world.status(import(Who::Alice, "?session_id=c")).await, 201);
    assert_eq!(world.everything("c").await["session"]["user_id"], ALICE);
    assert_eq!(world.status(import(Who::Actor, "?session_id=d")).await, 201);
    assert_eq!(world.everything("d").await["session"]["user_id"], BOB);
    world.server.stop().await;
}
