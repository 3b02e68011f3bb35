//! What is done to sessions over HTTP: made, listed, named, taken along, brought back; found and counted.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::support::TestServer;
use crate::support::api::{ask, get, request, send};

/// The code of a refusal.
async fn code(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_session_that_was_made_can_be_opened_named_and_listed() {
    let server = TestServer::demo().await;
    let wanted = json!({ "user_id": "ann", "metadata": { "title": "First" } });
    let made = send(&server, Method::POST, "/api/sessions", &wanted).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let made: Value = made.json().await.unwrap();
    let id = made["session_id"].as_str().unwrap();
    assert_eq!(location, format!("/api/sessions/{id}"));
    assert_eq!(made["ws_url"], format!("/ws/session/{id}"));

    let mut client = server.connect(id).await;
    let started = client.expect("session_started").await;
    assert_eq!(started["user_id"], "ann");
    assert_eq!(started["metadata"]["title"], "First");

    let patch = json!({ "metadata": { "title": null, "tags": ["a"], "metrics": 1 } });
    let named = send(&server, Method::PATCH, &location, &patch).await;
    let named: Value = named.json().await.unwrap();
    assert_eq!(named["metadata"], json!({ "tags": ["a"] }));
    assert_eq!(named["metrics"], Value::Null);

    let of_ann = get(&server, "/api/sessions?user_id=ann").await;
    assert_eq!(of_ann["sessions"][0]["session_id"], id);
    assert_eq!(of_ann["sessions"][0]["is_live"], true);
    assert_eq!(
        get(&server, "/api/sessions?user_id=bob").await["sessions"],
        json!([])
    );
    client.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_body_may_be_left_out_where_nothing_has_to_be_said() {
    let server = TestServer::demo().await;
    let made = request(&server, Method::POST, "/api/sessions")
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let made = send(&server, Method::POST, "/api/sessions", &json!({ "usr": 1 })).await;
    let problem: Value = made.json().await.unwrap();
    assert_eq!(problem["code"], "invalid_field");
    assert_eq!(problem["errors"][0]["field"], "usr");
    server.stop().await;
}

#[tokio::test]
async fn pages_of_sessions_meet_without_gap_and_overlap() {
    let server = TestServer::demo().await;
    for _ in 0..7 {
        send(&server, Method::POST, "/api/sessions", &json!({})).await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/sessions?limit=3".to_owned();
    loop {
        let page = get(&server, &path).await;
        for session in page["sessions"].as_array().unwrap() {
            seen.push(session["session_id"].as_str().unwrap().to_owned());
        }
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/sessions?limit=3&cursor={cursor}");
    }
    assert_eq!(seen.len(), 7);
    let all = get(&server, "/api/sessions").await;
    let all: Vec<_> = all["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["session_id"].clone())
        .collect();
    assert_eq!(json!(seen), json!(all));
    server.stop().await;
}

/// Input 86.
#[tokio::test]
async fn bad_parameters_are_named() {
    let server = TestServer::demo().await;
    for path in [
        "/api/sessions?limit=0",
        "/api/sessions?limit=-1",
        "/api/sessions?limit=1e9",
        "/api/sessions?limit=201",
        "/api/sessions?active=maybe",
        "/api/sessions?from=yesterday",
        "/api/sessions?cursor=1",
        "/api/sessions?cursor=99999999999999999999,a",
        "/api/sessions?user_id=",
        "/api/search",
        "/api/search?q=",
        "/api/search?q=a&cursor=x",
        "/api/search?q=a&limit=101",
        "/api/search?q=a&limit=-1",
        "/api/analytics?bucket=minute",
        "/api/analytics?group_by=user",
        "/api/analytics?from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z",
        "/api/analytics?from=0001-01-01T00:00:00Z&bucket=hour",
    ] {
        let answer = request(&server, Method::GET, path).send().await.unwrap();
        assert_eq!(
            code(answer).await,
            (400, "invalid_field".to_owned()),
            "{path}"
        );
    }
    let long = format!("/api/search?q={}", "x".repeat(257));
    let answer = request(&server, Method::GET, &long).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    server.stop().await;
}

/// The answer to a query with these parameters, whatever is in them.
async fn asked_for(client: &Client, url: &str, parameters: &[(&str, &str)]) -> Response {
    let url = Url::parse_with_params(url, parameters).unwrap();
    client.get(url).send().await.unwrap()
}

/// Input 83.
#[tokio::test]
async fn what_looks_like_sql_is_only_text_in_every_field_that_takes_any() {
    let (server, client) = (TestServer::demo().await, Client::new());
    for text in [
        "'; DROP TABLE session_events;--",
        "$1 ?1 :a @b",
        "\\'",
        "%s %n",
        "{{7*7}} ${7*7}",
        "\" OR 1=1 --",
    ] {
        let wanted = json!({ "user_id": text, "metadata": { "title": text, text: [text] } });
        let made = send(&server, Method::POST, "/api/sessions", &wanted).await;
        assert_eq!(made.status(), StatusCode::CREATED, "{text}");
        let made: Value = made.json().await.unwrap();
        let id = made["session_id"].as_str().unwrap();
        let path = format!("/api/sessions/{id}");
        let say = json!({ "content": text, "id": text, "metadata": { text: text } });
        let said = send(&server, Method::POST, &format!("{path}/messages"), &say).await;
        assert_eq!(said.status(), StatusCode::OK, "{text}");
        let mut socket = server.connect(id).await;
        socket.send(json!({ "type": "ping", "nonce": text })).await;
        assert_eq!(socket.expect("pong").await["nonce"], text);
        socket.close().await;

        let log = get(&server, &format!("{path}/events?type=user_message")).await;
        let message = &log["events"][0];
        assert_eq!(
            json!([message["content"], message["id"]]),
            json!([text, text])
        );
        assert_eq!(message["metadata"], json!({ text: text }));
        let with = async |name: &str, path: &str| -> Value {
            let answer = asked_for(&client, &server.url(path), &[(name, text)]).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path} {text}");
            answer.json().await.unwrap()
        };
        let listed = with("user_id", "/api/sessions").await;
        let listed = listed["sessions"].as_array().unwrap();
        assert_eq!(listed.len(), 1, "{text}");
        assert_eq!(listed[0]["metadata"], wanted["metadata"]);
        with("user_id", "/api/analytics?bucket=all").await;
        with("user_id", "/api/usage").await;
        with("q", "/api/search").await;
    }
    let all = get(&server, "/api/sessions").await;
    assert_eq!(all["sessions"].as_array().unwrap().len(), 6);
    server.takes_a_turn("input 83").await;
    server.stop().await;
}

/// Inputs 84 and 85.
#[tokio::test]
async fn what_would_be_a_pattern_or_a_query_elsewhere_finds_nothing_here() {
    let (server, client) = (TestServer::demo().await, Client::new());
    ask(&server, "said", "a heron stands in the water").await;
    let search =
        async |text: &str| asked_for(&client, &server.url("/api/search"), &[("q", text)]).await;
    for text in [
        "%", "_", "\\", "%%%%", "h_ron", "%eron", ":*", "(((", "'", "a & | !",
    ] {
        let answer = search(text).await;
        assert_eq!(answer.status(), StatusCode::OK, "{text}");
        let found: Value = answer.json().await.unwrap();
        let is_the_word = text.starts_with('a');
        assert_eq!(found["hits"] == json!([]), !is_the_word, "{text}: {found}");
    }
    for (times, status) in [
        (2_000, StatusCode::BAD_REQUEST),
        (10_000, StatusCode::URI_TOO_LONG),
    ] {
        assert_eq!(search(&"%".repeat(times)).await.status(), status);
    }
    server.takes_a_turn("inputs 84 and 85").await;
    server.stop().await;
}

/// Input 86.
#[tokio::test]
async fn a_cursor_that_was_cut_changed_or_is_of_another_list_leads_to_nothing_else() {
    let (server, client) = (TestServer::demo().await, Client::new());
    for user in ["ann", "bob"] {
        for word in ["heron one", "heron two", "heron three"] {
            let wanted = json!({ "user_id": user });
            let made = send(&server, Method::POST, "/api/sessions", &wanted).await;
            let made: Value = made.json().await.unwrap();
            ask(&server, made["session_id"].as_str().unwrap(), word).await;
        }
    }
    let of_bob = get(&server, "/api/sessions?limit=1&user_id=bob").await;
    let of_search = get(&server, "/api/search?q=heron&limit=1&user_id=bob").await;
    let cursors = [&of_bob, &of_search].map(|it| it["next_cursor"].as_str().unwrap().to_owned());
    let mut forged = cursors.to_vec();
    for cursor in &cursors {
        forged.extend((1..cursor.len()).filter_map(|end| Some(cursor.get(..end)?.to_owned())));
        forged.extend((0..cursor.len()).map(|at| {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'9' { b'0' } else { b'9' };
            String::from_utf8(changed).unwrap()
        }));
        forged.extend(["'", "%00", "\u{430}", "-"].map(|more| format!("{cursor}{more}")));
    }
    let ann = get(&server, "/api/sessions?user_id=ann").await;
    let own = ids_in(&ann["sessions"]);
    for cursor in forged {
        for (path, list) in [
            ("/api/sessions", "sessions"),
            ("/api/search?q=heron", "hits"),
        ] {
            let asked = [("user_id", "ann"), ("cursor", cursor.as_str())];
            let answer = asked_for(&client, &server.url(path), &asked).await;
            if answer.status() == StatusCode::BAD_REQUEST {
                continue;
            }
            assert_eq!(answer.status(), StatusCode::OK, "{path} {cursor}");
            let page: Value = answer.json().await.unwrap();
            let told = ids_in(&page[list]);
            assert!(
                told.iter().all(|id| own.contains(id)),
                "{path} {cursor}: {page}"
            );
        }
    }
    server.takes_a_turn("input 86").await;
    server.stop().await;
}

fn ids_in(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|it| it["session_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_session_is_taken_along_and_brought_back() {
    let server = TestServer::demo().await;
    ask(&server, "original", "What is 15% of 240?").await;
    send(
        &server,
        Method::POST,
        "/api/sessions/original/end",
        &json!({}),
    )
    .await;
    let export = |format| {
        let path = format!("/api/sessions/original/export?format={format}");
        request(&server, Method::GET, &path)
    };
    let markdown = export("markdown").send().await.unwrap();
    assert_eq!(
        markdown.headers()["content-type"],
        "text/markdown; charset=utf-8"
    );
    assert!(markdown.text().await.unwrap().contains("15% of 240"));
    let whole: Value = export("json").send().await.unwrap().json().await.unwrap();
    let events = get(&server, "/api/sessions/original/events?limit=1000").await;
    assert_eq!(whole["events"], events["events"]);
    let answer = export("docx").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);

    let file = export("jsonl").send().await.unwrap();
    assert_eq!(
        file.headers()["content-disposition"],
        "attachment; filename=\"original.jsonl\""
    );
    let file = file.text().await.unwrap();
    let import = |path: &str, file: String| request(&server, Method::POST, path).body(file).send();
    let taken = import("/api/import", file.clone()).await.unwrap();
    assert_eq!(code(taken).await, (409, "session_exists".to_owned()));
    let copied = import("/api/import?session_id=copy&user_id=ann", file.clone())
        .await
        .unwrap();
    assert_eq!(copied.status(), StatusCode::CREATED);
    let copied: Value = copied.json().await.unwrap();
    assert_eq!(copied["user_id"], "ann");
    let log = get(&server, "/api/sessions/copy/events?limit=1000").await;
    assert_eq!(log["events"], events["events"]);

    let broken = import(
        "/api/import?session_id=other",
        file.replacen("\"seq\":2", "\"seq\":3", 1),
    )
    .await
    .unwrap();
    assert_eq!(code(broken).await, (400, "invalid_field".to_owned()));
    let other = request(&server, Method::GET, "/api/sessions/other")
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn what_was_said_is_found_and_counted() {
    let server = TestServer::demo().await;
    ask(&server, "counted", "What is 15% of 240?").await;
    let page = get(&server, "/api/search?q=240&limit=1").await;
    let hit = &page["hits"][0];
    assert_eq!(hit["session_id"], "counted");
    let matched = hit["excerpt"]
        .as_array()
        .unwrap()
        .iter()
        .find(|part| part["is_match"] == true);
    assert_eq!(matched.unwrap()["text"], "240");

    let figures = get(&server, "/api/analytics?bucket=all&group_by=provider").await;
    let row = &figures["rows"][0];
    assert_eq!(row["provider"], "demo");
    for (figure, value) in [
        ("answers", 1),
        ("user_messages", 1),
        ("tool_calls", 1),
        ("tool_failures", 0),
    ] {
        assert_eq!(row[figure], value, "{figure}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again() {
    // A session that ends meanwhile is another one than the client has.
    let server = TestServer::start(&[
        ("llm.provider", "demo"),
        ("demo.delay_ms", "0"),
        ("session.linger", "600"),
    ])
    .await;
    ask(&server, "kept", "Hello").await;
    for path in [
        "/api/sessions/kept",
        "/api/sessions/kept/events",
        "/openapi.json",
        "/asyncapi.json",
    ] {
        let first = request(&server, Method::GET, path).send().await.unwrap();
        let etag = first.headers()["etag"].clone();
        let same = request(&server, Method::GET, path).header("if-none-match", &etag);
        assert_eq!(
            same.send().await.unwrap().status(),
            StatusCode::NOT_MODIFIED,
            "{path}"
        );
    }
    let etag = request(&server, Method::GET, "/api/sessions/kept/events")
        .send()
        .await
        .unwrap();
    let etag = etag.headers()["etag"].clone();
    ask(&server, "kept", "Hello again").await;
    let changed =
        request(&server, Method::GET, "/api/sessions/kept/events").header("if-none-match", etag);
    assert_eq!(changed.send().await.unwrap().status(), StatusCode::OK);
    server.stop().await;
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let server = TestServer::start(&[
        ("llm.provider", "demo"),
        ("server.cors_origins", "https://app.example.org"),
    ])
    .await;
    let own = server.url("");
    for (origin, status) in [
        ("https://evil.example.org", 403),
        ("null", 403),
        ("https://app.example.org", 201),
        (own.as_str(), 201),
    ] {
        let made = request(&server, Method::POST, "/api/sessions").header("origin", origin);
        assert_eq!(made.send().await.unwrap().status(), status, "{origin}");
        let read = request(&server, Method::GET, "/api/sessions").header("origin", origin);
        assert_eq!(read.send().await.unwrap().status(), 200, "{origin}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_page_of_large_events_ends_early_and_the_next_one_goes_on() {
    let server = TestServer::demo().await;
    ask(&server, "large", "Hello").await;
    let file = request(
        &server,
        Method::GET,
        "/api/sessions/large/export?format=jsonl",
    );
    let file = file.send().await.unwrap().text().await.unwrap();
    let mut lines: Vec<Value> = file
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let message = lines
        .iter()
        .find(|line| line["type"] == "user_message")
        .unwrap()
        .clone();
    let first = lines.len() as u64;
    for number in 0..60 {
        let mut more = message.clone();
        more["seq"] = json!(first + number);
        more["id"] = json!(format!("more-{number}"));
        more["event_id"] = json!(format!("01900000-0000-7000-8000-{number:012}"));
        more["content"] = json!("x".repeat(30_000));
        lines.push(more);
    }
    lines[0]["session"]["last_seq"] = json!(lines.len() - 1);
    let file: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let imported = request(&server, Method::POST, "/api/import?session_id=larger").body(file);
    let imported = imported.send().await.unwrap();
    assert_eq!(
        imported.status(),
        StatusCode::CREATED,
        "{}",
        imported.text().await.unwrap()
    );

    let (mut after, mut seen, mut pages) = (0, 0, 0);
    loop {
        let path = format!("/api/sessions/larger/events?limit=1000&after={after}");
        let page = get(&server, &path).await;
        let events = page["events"].as_array().unwrap();
        (seen, pages) = (seen + events.len(), pages + 1);
        assert!(page.to_string().len() < 1_200_000);
        match page["next_after"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!((seen, pages), (lines.len() - 1, 2));
    server.stop().await;
}

#[tokio::test]
async fn pages_of_other_origins_may_only_ask_where_they_are_named() {
    let preflight = |server: &TestServer, origin: &'static str| {
        request(server, Method::OPTIONS, "/api/sessions")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let closed = TestServer::demo().await;
    let answer = preflight(&closed, "https://app.example.org")
        .send()
        .await
        .unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    closed.stop().await;

    let open = TestServer::start(&[
        ("llm.provider", "demo"),
        ("server.cors_origins", "https://app.example.org"),
    ])
    .await;
    for (origin, allowed) in [
        ("https://app.example.org", true),
        ("https://evil.example.org", false),
        ("null", false),
    ] {
        let answer = preflight(&open, origin).send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(
            headers.contains_key("access-control-allow-origin"),
            allowed,
            "{origin}"
        );
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
    open.stop().await;
}

#[tokio::test]
async fn clients_learn_of_providers_neither_where_they_are_nor_whose_key_is_asked_for() {
    let server = TestServer::start(&[
        ("llm.provider", "auto"),
        ("openai.base_url", "http://10.1.2.3:8080/v1"),
        ("routes.0.name", "deep"),
        ("routes.0.offered", "true"),
        ("routes.0.metadata.depth", "deep,very deep"),
        ("routes.1.name", "hidden"),
        ("routes.1.metadata.tier", "inside"),
        ("providers.own.kind", "openai"),
        ("providers.own.base_url", "http://models.internal/v1"),
        ("providers.own.model", "large"),
        ("providers.own.api_key_env", "SECRET_NAME"),
    ])
    .await;
    let models = get(&server, "/api/models").await;
    let routes = &models["routes"];
    assert_eq!(routes[0]["choice"], json!({ "depth": "deep" }));
    assert_eq!(
        routes[1]["choice"],
        Value::Null,
        "it is not for them to choose"
    );
    let own = models["providers"].as_array().unwrap().iter();
    let own: Vec<_> = own.filter(|it| it["name"] == "own").collect();
    assert_eq!(own[0]["missing"], "no key");
    let text = models.to_string();
    for hidden in [
        "inside",
        "10.1.2.3",
        "models.internal",
        "SECRET_NAME",
        "_API_KEY",
    ] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    server.stop().await;
}
