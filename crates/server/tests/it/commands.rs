//! `patter models`, `patter route` and `patter tools` as processes, with nothing but what the test gives them. They
//! need no database: the one that is configured here does not exist.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use patter_llm::{Gemini, OpenAi};
use patter_testkit::model_server::{ModelServer, Reply, openai};
use patter_testkit::server_process::ServerProcess;
use serde_json::Value;

const NO_DATABASE: (&str, &str) = ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");

const SETTINGS: &[(&str, &str)] = &[
    NO_DATABASE,
    ("GEMINI_API_KEY", "hush-hush"),
    (
        "PATTER_PROVIDERS__LOCAL__BASE_URL",
        "http://127.0.0.1:11434/v1",
    ),
    ("PATTER_PROVIDERS__LOCAL__MODEL", "qwen3"),
    ("PATTER_PROVIDERS__OTHER__BASE_URL", "http://127.0.0.1:1/v1"),
    ("PATTER_PROVIDERS__OTHER__MODEL", "m"),
    ("PATTER_PROVIDERS__OTHER__API_KEY_ENV", "OTHER_KEY"),
    ("PATTER_LLM__FALLBACKS", "local,demo"),
    ("PATTER_MODELS__0__PROVIDER", "local"),
    ("PATTER_MODELS__0__NAME", "qwen3"),
    ("PATTER_MODELS__0__CONTEXT_WINDOW", "32768"),
    ("PATTER_MODELS__0__MAX_OUTPUT_TOKENS", "4096"),
    ("PATTER_MODELS__0__INPUT_PRICE", "0.125"),
    ("PATTER_MODELS__0__OUTPUT_PRICE", "2"),
    ("PATTER_MODELS__0__CACHED_INPUT_PRICE", "0.5"),
    ("PATTER_ROUTES__0__NAME", "code"),
    ("PATTER_ROUTES__0__WORDS", "rust,stack trace"),
    ("PATTER_ROUTES__0__MODEL", "gemini-2.0-flash"),
    ("PATTER_ROUTES__1__NAME", "vip"),
    ("PATTER_ROUTES__1__METADATA__TIER", "gold"),
    ("PATTER_ROUTES__1__MIN_TURNS", "2"),
    ("PATTER_ROUTES__1__PROVIDER", "local"),
    ("PATTER_ROUTES__1__TOOLS", "calculator"),
];

async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let patter = env!("CARGO_BIN_EXE_patter");
    let output = ServerProcess::run(patter, arguments, variables).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("hush-hush"), "{said}");
    said
}

async fn json(arguments: &[&str], variables: &[(&str, &str)]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    serde_json::from_str(&run(&arguments, variables).await).unwrap()
}

fn row<'a>(report: &'a Value, model: &str) -> &'a Value {
    let mut models = report["models"].as_array().unwrap().iter();
    models.find(|row| row["model"] == model).unwrap()
}

#[tokio::test]
async fn models_tells_who_answers_and_why() {
    let report = json(&["models"], SETTINGS).await;
    assert_eq!(report["primary"]["model"], "gemini-3.5-flash-lite");
    assert_eq!(report["why"], "it has a key");
    assert_eq!(report["auto"]["provider"], "gemini");
    assert_eq!(report["fallbacks"][0]["model"], "qwen3");
    assert_eq!(report["fallbacks"][1]["provider"], "demo");
    assert_eq!(report["routes"][0]["name"], "code");
    assert_eq!(report["routes"][0]["model"], "gemini-2.0-flash");
    assert_eq!(report["routes"][1]["provider"], "local");

    let missing = |name: &str| {
        let mut providers = report["providers"].as_array().unwrap().iter();
        let provider = providers.find(|provider| provider["name"] == name).unwrap();
        provider["missing"].clone()
    };
    assert_eq!(missing("gemini"), Value::Null);
    assert_eq!(
        missing("openai"),
        "no key: set OPENAI_API_KEY or openai.api_key"
    );
    assert_eq!(missing("local"), Value::Null);
    assert_eq!(
        missing("other"),
        "no key: the variable OTHER_KEY is not set"
    );
    assert_eq!(missing("demo"), Value::Null);
}

#[tokio::test]
async fn models_tells_limits_prices_and_ends() {
    let report = json(&["models"], SETTINGS).await;
    let own = row(&report, "qwen3");
    assert_eq!(
        (&own["context_window"], &own["max_output_tokens"]),
        (&32_768.into(), &4096.into())
    );
    assert_eq!(own["price"]["input"], 0.125);
    assert_eq!(own["price"]["output"], 2.0);
    assert_eq!(own["price"]["cached_input"], 0.5);
    assert_eq!(own["used"], serde_json::json!(["fallback 1", "route vip"]));

    let default = row(&report, "gemini-3.5-flash-lite");
    assert_eq!(default["used"], serde_json::json!(["primary"]));
    assert!(default["context_window"].as_u64().unwrap() > 100_000);
    assert!(default["price"]["input"].as_f64().unwrap() > 0.0);
    assert_eq!(row(&report, "gemini-2.0-flash")["end"], "past");
    // Nothing is known of it, and so nothing is said.
    assert_eq!(row(&report, "demo")["price"], Value::Null);
}

#[tokio::test]
async fn models_lists_it_in_columns_for_a_terminal() {
    let text = run(&["models"], SETTINGS).await;
    let line = |begin: &str| {
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with(begin))
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        line("primary"),
        "primary     gemini-3.5-flash-lite of gemini: it has a key"
    );
    assert_eq!(line("fallback 1"), "fallback 1  qwen3 of local");
    assert!(
        line("prices").starts_with("prices in USD for a million tokens, as of 20"),
        "{text}"
    );
    let header = line("PROVIDER  MODEL");
    let own = line("local     qwen3");
    let cell = |name: &str| own.get(header.find(name).unwrap()..).unwrap();
    assert!(cell("WINDOW").starts_with("32768 "), "{text}");
    assert!(cell("IN ").starts_with("0.125 "), "{text}");
    assert!(cell("OUT ").starts_with("2.00 "), "{text}");
    assert!(cell("USED").starts_with("fallback 1, route vip"), "{text}");
    let ended = line("gemini    gemini-2.0-flash ");
    let notes = ended.get(header.find("USED").unwrap()..).unwrap();
    assert_eq!(notes, "route code, shut down since 2026-06-01", "{text}");
}

#[tokio::test]
async fn what_is_known_of_openai_s_models_does_not_hold_at_another_address() {
    let settings = [
        ("OPENAI_API_KEY", "o"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:1/v1"),
    ];
    let report = json(&["models"], &settings).await;
    let luna = row(&report, "gpt-6-luna");
    assert_eq!(
        (&luna["price"], &luna["context_window"]),
        (&Value::Null, &Value::Null)
    );
    let settings = [
        ("OPENAI_API_KEY", "o"),
        ("OPENAI_BASE_URL", "https://eu.api.openai.com/v1"),
    ];
    let report = json(&["models"], &settings).await;
    assert!(row(&report, "gpt-6-luna")["price"]["input"].is_f64());
}

#[tokio::test]
async fn the_default_models_are_known_and_not_about_to_end() {
    let report = json(&["models"], &[]).await;
    for model in [Gemini::DEFAULT_MODEL, OpenAi::DEFAULT_MODEL] {
        let row = row(&report, model);
        assert!(
            row["price"]["output"].is_f64() && row["context_window"].is_u64(),
            "{row}"
        );
        assert_eq!(row["shut_down"], Value::Null);
    }
}

#[tokio::test]
async fn route_explains_which_route_a_message_takes() {
    let text = run(&["route", "A Stack  Trace, please"], SETTINGS).await;
    assert!(text.contains("code: taken"), "{text}");
    assert!(text.contains("vip: does not hold"), "{text}");
    assert!(text.contains("gemini-2.0-flash of gemini"), "{text}");

    let report = json(&["route", "Hello"], SETTINGS).await;
    assert_eq!(report["route"], "default");
    assert_eq!(report["target"]["model"], "gemini-3.5-flash-lite");
    let conditions = report["routes"][1]["conditions"].as_array().unwrap();
    assert!(
        conditions
            .iter()
            .all(|condition| condition["holds"] == false),
        "{conditions:?}"
    );
}

#[tokio::test]
async fn route_takes_metadata_and_turns_into_account() {
    let arguments = ["route", "Hello", "--session", "tier=gold", "--turns", "2"];
    let report = json(&arguments, SETTINGS).await;
    assert_eq!(report["route"], "vip");
    assert_eq!(report["target"]["provider"], "local");
    assert_eq!(
        report["settings"]["tools"],
        serde_json::json!(["calculator"])
    );
    // The message's own metadata comes before the session's.
    let arguments = [&arguments[..], &["--message", "tier=none"]].concat();
    assert_eq!(json(&arguments, SETTINGS).await["route"], "default");
}

#[tokio::test]
async fn route_asks_the_classifier_only_when_told_to() {
    let model = ModelServer::start([openai::text(["work"])]).await;
    let base_url = format!("{}/v1", model.base_url());
    let settings = [
        NO_DATABASE,
        ("PATTER_LLM__PROVIDER", "openai"),
        ("OPENAI_BASE_URL", base_url.as_str()),
        ("PATTER_CLASSIFIER__LABELS__WORK", "orders"),
        ("PATTER_CLASSIFIER__LABELS__PLAY", "games"),
        ("PATTER_CLASSIFIER__ON_FAILURE", "play"),
        ("PATTER_ROUTES__0__NAME", "work"),
        ("PATTER_ROUTES__0__CLASS", "work"),
    ];
    let report = json(&["route", "Where is my order?"], &settings).await;
    assert_eq!(
        (&report["route"], &report["class"]["label"]),
        (&"default".into(), &"play".into())
    );
    assert_eq!(
        report["class"]["failure"],
        "it was not asked; --classify asks it"
    );
    assert!(model.requests().is_empty());
    let text = run(&["route", "Where is my order?"], &settings).await;
    assert!(
        text.contains("the classifier gave no label: it was not asked; --classify asks it"),
        "{text}"
    );

    let report = json(&["route", "Where is my order?", "--classify"], &settings).await;
    assert_eq!(
        (&report["route"], &report["class"]["failure"]),
        (&"work".into(), &Value::Null)
    );
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn a_tool_of_a_route_that_there_is_not_is_told_by_check_and_before_anything_is_opened() {
    let settings = [
        NO_DATABASE,
        ("PATTER_ROUTES__0__NAME", "sums"),
        ("PATTER_ROUTES__0__TOOLS", "calculater"),
    ];
    for command in ["check", "serve"] {
        let patter = env!("CARGO_BIN_EXE_patter");
        let output = ServerProcess::run(patter, &[command], &settings).await;
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(
            errors.starts_with("patter: the route `sums` offers the tool `calculater`"),
            "{errors}"
        );
    }
}

#[tokio::test]
async fn tools_lists_what_is_offered_with_schemas_and_limits() {
    let report = json(&["tools"], SETTINGS).await;
    let names = report["tools"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["calculator", "data_fetcher"]);
    assert_eq!(
        report["tools"][0]["parameters"]["required"][0],
        "expression"
    );
    assert_eq!(report["tools"][0]["needs_approval"], false);
    assert_eq!(report["limits"]["timeout_ms"], 30_000);
    assert_eq!(report["limits"]["max_steps"], 8);

    let settings = [
        NO_DATABASE,
        ("PATTER_TOOLS__ENABLED", "calculator"),
        ("PATTER_TOOLS__TIMEOUT", "2.5"),
    ];
    let text = run(&["tools"], &settings).await;
    assert!(text.starts_with("calculator\n"), "{text}");
    assert!(
        text.contains("\"expression\"") && text.contains("2500 ms"),
        "{text}"
    );
    assert!(!text.contains("data_fetcher"), "{text}");
}

#[tokio::test]
async fn tools_calls_one_by_hand_and_tells_what_goes_wrong() {
    let call = [
        "tools",
        "call",
        "calculator",
        r#"{"expression": "15% of 240"}"#,
    ];
    let result: Value = serde_json::from_str(&run(&call, SETTINGS).await).unwrap();
    assert_eq!(result["result"], "36");
    for (call, told) in [
        (["calculator", "{}"], "missing field `expression`"),
        (["calculator", "[1]"], "not a JSON object"),
        (["calculater", "{}"], "there is no tool named `calculater`"),
    ] {
        let patter = env!("CARGO_BIN_EXE_patter");
        let arguments = ["tools", "call", call[0], call[1]];
        let output = ServerProcess::run(patter, &arguments, SETTINGS).await;
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(errors.contains(told), "{errors}");
    }
}

#[tokio::test]
async fn a_data_source_is_a_tool_and_one_that_cannot_be_used_is_told_before_anything_is_opened() {
    let rates = serde_json::json!({"rates": {"USD": 1.25}});
    let server = ModelServer::start([Reply::json(200, &rates)]).await;
    let url = format!("{}/rates/{{base}}", server.base_url());
    let place = server.base_url().replace("http://", "");
    let settings = [
        NO_DATABASE,
        ("PATTER_DATA_SOURCES__RATES__URL", url.as_str()),
        ("PATTER_DATA_SOURCES__RATES__DESCRIPTION", "Exchange rates."),
        ("PATTER_DATA_SOURCES__RATES__PARAMETERS__BASE", "A currency"),
        ("PATTER_DATA_SOURCES__RATES__POINTER", "/rates"),
        ("PATTER_DATA_SOURCES__RATES__SECRET_ENV", "RATES_KEY"),
        ("RATES_KEY", "Bearer hush-hush"),
        ("PATTER_WEB__TRUSTED", place.as_str()),
    ];
    let call = ["tools", "call", "rates", r#"{"base": "EUR"}"#];
    let result: Value = serde_json::from_str(&run(&call, &settings).await).unwrap();
    assert_eq!(result["data"]["USD"], 1.25);
    let report = json(&["tools"], &settings).await;
    assert_eq!(report["tools"][2]["name"], "rates");
    assert_eq!(report["tools"][2]["needs_approval"], false);
    let posting = [
        &settings[..],
        &[("PATTER_DATA_SOURCES__RATES__METHOD", "post")],
    ]
    .concat();
    let report = json(&["tools"], &posting).await;
    assert_eq!(report["tools"][2]["needs_approval"], true);
    let asked = &server.requests()[0];
    assert_eq!(asked.path, "/rates/EUR");
    assert_eq!(asked.headers["authorization"], "Bearer hush-hush");

    for (key, value, told) in [
        ("PATTER_WEB__TRUSTED", "", "may not be reached"),
        (
            "PATTER_DATA_SOURCES__RATES__URL",
            "https://{base}/",
            "the path and the query only",
        ),
        (
            "PATTER_DATA_SOURCES__RATES__PARAMETERS__MORE",
            "x",
            "`more`",
        ),
        (
            "PATTER_DATA_SOURCES__RATES__SECRET_ENV",
            "NOT_SET",
            "NOT_SET (`secret_env`) is not set",
        ),
        (
            "PATTER_DATA_SOURCES__OTHER__URL",
            "https://h.example/",
            "`description` is missing",
        ),
        (
            "PATTER_DATA_SOURCES__RATES__URL",
            "file:no-such.csv",
            "a file takes no `parameters`",
        ),
    ] {
        let mut settings = settings.to_vec();
        settings.retain(|(name, _)| *name != key);
        settings.push((key, value));
        let patter = env!("CARGO_BIN_EXE_patter");
        let output = ServerProcess::run(patter, &call, &settings).await;
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{key}");
        assert!(
            errors.contains(told) && !errors.contains("hush-hush"),
            "{errors}"
        );
    }
}

#[tokio::test]
async fn a_file_is_a_data_source_and_one_that_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parts.csv");
    std::fs::write(&path, "sku,stock\nA-1,7\nB-2,0\n").unwrap();
    let url = format!("file:{}", path.display());
    let mut settings = vec![
        NO_DATABASE,
        ("PATTER_DATA_SOURCES__PARTS__URL", url.as_str()),
        ("PATTER_DATA_SOURCES__PARTS__DESCRIPTION", "Parts."),
        ("PATTER_DATA_SOURCES__PARTS__APPROVAL", "always"),
    ];
    let call = ["tools", "call", "parts", r#"{"sku": "b-2"}"#];
    let result: Value = serde_json::from_str(&run(&call, &settings).await).unwrap();
    assert_eq!(
        result["rows"],
        serde_json::json!([{"sku": "B-2", "stock": "0"}])
    );
    let report = json(&["tools"], &settings).await;
    assert_eq!(report["tools"][2]["needs_approval"], true);

    settings[1].1 = "file:no-such.csv";
    let patter = env!("CARGO_BIN_EXE_patter");
    let output = ServerProcess::run(patter, &call, &settings).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("cannot read `no-such.csv`"), "{errors}");
}
