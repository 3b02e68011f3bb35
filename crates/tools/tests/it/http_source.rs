//! Data from the web as a tool: what a model may choose, what goes out, and what comes back.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use patter_testkit::model_server::{ModelServer, Reply};
use patter_tools::{
    HttpSource, HttpSourceError, HttpSourceOptions, ToolContext, ToolError, ToolRegistry,
    WebClient, WebLimits, WebRules,
};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

fn client(server: &ModelServer) -> WebClient {
    let place = server.base_url().replace("http://", "");
    let rules = WebRules {
        trusted: vec![place],
        ..WebRules::default()
    };
    WebClient::new(rules, WebLimits::default()).unwrap()
}

fn texts<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

fn rates(server: &ModelServer) -> HttpSourceOptions {
    HttpSourceOptions {
        description: "Exchange rates.".to_owned(),
        url: format!("{}/rates/{{base}}?to={{to}}", server.base_url()),
        parameters: texts([("base", "A currency"), ("to", "Another one")]),
        ..HttpSourceOptions::default()
    }
}

fn tools(server: &ModelServer, options: HttpSourceOptions) -> ToolRegistry {
    let source = HttpSource::new("rates", options, client(server)).unwrap();
    ToolRegistry::new().with(source).unwrap()
}

async fn call(tools: &ToolRegistry, arguments: Value) -> Result<Value, ToolError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let context = ToolContext::new("session", "call-1", deadline);
    let arguments = arguments.as_object().cloned().unwrap_or_else(Map::new);
    tools.call("rates", arguments, context).await
}

#[tokio::test]
async fn the_model_chooses_parameters_and_gets_the_part_of_the_answer_that_is_wanted() {
    let body = json!({"meta": 1, "rates": {"USD": 1.25}});
    let server = ModelServer::start([Reply::json(200, &body)]).await;
    let options = HttpSourceOptions {
        pointer: Some("/rates".to_owned()),
        headers: texts([("X-Api-Key", "geheim")]),
        ..rates(&server)
    };
    assert!(
        !format!(
            "{:?}",
            HttpSource::new("r", options.clone(), client(&server))
        )
        .contains("geheim")
    );
    let tools = tools(&server, options);
    let answer = call(&tools, json!({"base": "E/U R", "to": 7})).await;
    let expected = json!({"source": "rates", "data": {"USD": 1.25}});
    assert_eq!(answer, Ok(expected));
    let asked = &server.requests()[0];
    assert_eq!(asked.path, "/rates/E%2FU%20R?to=7");
    assert_eq!(asked.headers["x-api-key"], "geheim");
    let schema = &tools.specs()[0].parameters;
    assert_eq!(schema["properties"]["base"]["description"], "A currency");
    assert_eq!(schema["required"], json!(["base", "to"]));
}

#[tokio::test]
async fn by_post_what_has_no_place_in_the_url_is_sent_as_json_with_a_key_for_the_call() {
    let server = ModelServer::start([Reply::json(200, &json!([1]))]).await;
    let options = HttpSourceOptions {
        url: format!("{}/find/{{base}}", server.base_url()),
        post: true,
        ..rates(&server)
    };
    let answer = call(&tools(&server, options), json!({"base": "a", "to": "b\"c"})).await;
    assert_eq!(answer.unwrap()["data"], json!([1]));
    let asked = &server.requests()[0];
    assert_eq!(asked.path, "/find/a");
    assert_eq!(asked.body, json!({"to": "b\"c"}));
    assert_eq!(asked.headers["idempotency-key"], "\"call-1\"");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused_and_nobody_is_asked() {
    let server = ModelServer::start([]).await;
    let tools = tools(&server, rates(&server));
    for (arguments, told) in [
        (json!({}), "missing field `base`"),
        (json!({"base": "a"}), "missing field `to`"),
        (json!({"base": "a", "to": null}), "`to`: expected a text"),
        (json!({"base": "a", "to": ["b"]}), "`to`: expected a text"),
        (
            json!({"base": "a", "to": "b", "url": "c"}),
            "unknown field `url`",
        ),
        (json!({"base": "..", "to": "b"}), "no values for a path"),
    ] {
        match call(&tools, arguments).await.unwrap_err() {
            ToolError::InvalidArguments(why) => assert!(why.contains(told), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_told_as_what_it_is() {
    let json = |text: &str| Reply::sse(text).content_type("application/json");
    let server = ModelServer::start([
        json("{\"broken\":"),
        json("{\"other\": 1}"),
        Reply::sse("no such currency")
            .status(404)
            .content_type("text/plain"),
    ])
    .await;
    let options = HttpSourceOptions {
        pointer: Some("/rates".to_owned()),
        ..rates(&server)
    };
    let tools = tools(&server, options);
    for told in [
        "broken JSON",
        "nothing at `/rates`",
        "answered 404: no such currency",
    ] {
        let failed = call(&tools, json!({"base": "a", "to": "b"}))
            .await
            .unwrap_err();
        assert!(failed.to_string().contains(told), "{failed}");
    }
}

#[tokio::test]
async fn a_text_that_is_no_json_is_given_as_text() {
    let reply = Reply::sse("one\ntwo").content_type("text/plain");
    let server = ModelServer::start([reply]).await;
    let answer = call(
        &tools(&server, rates(&server)),
        json!({"base": "a", "to": "b"}),
    )
    .await;
    assert_eq!(answer.unwrap()["data"], "one\ntwo");
}

#[tokio::test]
async fn an_answer_is_given_again_for_as_long_as_it_may_be() {
    let replies = (1..4).map(|number| Reply::json(200, &json!(number)));
    let server = ModelServer::start(replies).await;
    let options = HttpSourceOptions {
        cache: Duration::from_secs(60),
        ..rates(&server)
    };
    let kept = tools(&server, options);
    let same = json!({"base": "a", "to": "b"});
    for (arguments, expected) in [
        (same.clone(), 1),
        (same.clone(), 1),
        (json!({"base": "a", "to": "c"}), 2),
        (same.clone(), 1),
    ] {
        assert_eq!(call(&kept, arguments).await.unwrap()["data"], expected);
    }
    let not_kept = tools(&server, rates(&server));
    assert_eq!(call(&not_kept, same).await.unwrap()["data"], 3);
}

#[tokio::test]
async fn an_address_that_nobody_trusts_is_not_asked() {
    let server = ModelServer::start([]).await;
    let client = WebClient::new(WebRules::default(), WebLimits::default()).unwrap();
    let source = HttpSource::new("rates", rates(&server), client).unwrap();
    let tools = ToolRegistry::new().with(source).unwrap();
    let refused = call(&tools, json!({"base": "a", "to": "b"}))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ToolError::BlockedAddress(_)),
        "{refused:?}"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_source_that_makes_no_sense_is_refused_when_it_is_made() {
    let server = ModelServer::start([]).await;
    let options = || rates(&server);
    let refusal = |options| HttpSource::new("rates", options, client(&server)).unwrap_err();
    let url = HttpSourceOptions {
        url: "https://{base}.example/{to}".to_owned(),
        ..options()
    };
    assert!(matches!(refusal(url), HttpSourceError::Url(_)));
    let without_place = HttpSourceOptions {
        parameters: texts([("base", ""), ("to", ""), ("more", "")]),
        ..options()
    };
    assert_eq!(
        refusal(without_place),
        HttpSourceError::Parameter("more".to_owned())
    );
    let without_words = HttpSourceOptions {
        parameters: texts([("base", "")]),
        ..options()
    };
    assert_eq!(
        refusal(without_words),
        HttpSourceError::Parameter("to".to_owned())
    );
    for header in ["Host", "Transfer-Encoding", "a b", ""] {
        let headers = HttpSourceOptions {
            headers: texts([(header, "x")]),
            ..options()
        };
        assert_eq!(refusal(headers), HttpSourceError::Header(header.to_owned()));
    }
    let split = HttpSourceOptions {
        headers: texts([("X-A", "a\r\nX-B: b")]),
        ..options()
    };
    assert_eq!(refusal(split), HttpSourceError::Header("X-A".to_owned()));
}

#[tokio::test]
async fn a_secret_does_not_come_back_with_the_answer() {
    let key = "sk-0123456789";
    let quoted = json!({ "your key": format!("<{key}>"), key: [format!("Bearer {key}")] });
    let refusal = Reply::json(403, &json!({ "error": format!("bad key {key}") }));
    let server = ModelServer::start([Reply::json(200, &quoted), refusal]).await;
    let options = HttpSourceOptions {
        headers: texts([("Authorization", &format!("Bearer {key}"))]),
        ..rates(&server)
    };
    let tools = tools(&server, options);
    let arguments = json!({ "base": "EUR", "to": "USD" });
    let answer = call(&tools, arguments.clone()).await.unwrap();
    let expected = json!({ "your key": "<[secret]>", "[secret]": ["[secret]"] });
    assert_eq!(answer["data"], expected);
    let error = call(&tools, arguments).await.unwrap_err();
    assert!(error.to_string().contains("bad key [secret]"), "{error}");
}
