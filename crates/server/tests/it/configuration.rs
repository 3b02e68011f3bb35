//! The configuration through its public functions: layers, names, faults and masks. The environment and the files are made up.

use std::time::Duration;

use patter_server::config::{LogFormat, Origin, ProviderKind, Sources, StoreTarget};
use secrecy::ExposeSecret;

use crate::support::configured::{
    directory, load, only_fault, origin_of, refused, shown, with_variables,
};

#[test]
fn with_nothing_given_every_key_has_a_working_default() {
    let config = load(&Sources::none());
    assert_eq!(
        (config.server.host.as_str(), config.server.port),
        ("127.0.0.1", 8000)
    );
    assert_eq!(config.server.drain_timeout, Duration::from_secs(25));
    assert!(
        matches!(&config.store.target, StoreTarget::Sqlite(path) if path.ends_with("data/patter.db"))
    );
    assert_eq!(config.session.linger, Duration::from_secs(30));
    assert_eq!(config.tools.enabled, ["calculator", "data_fetcher"]);
    assert_eq!(config.llm.temperature, None);
    assert_eq!(config.log.format, LogFormat::Auto);
    assert_eq!(config.primary().kind, ProviderKind::Demo);
    assert_eq!(origin_of(&config, "server.port"), Origin::Default);
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let files = directory(&[
        ("patter.toml", "# a comment\n[server]\nport = 1001\n"),
        (".env", "PORT=1002\n"),
    ]);
    let file_only = directory(&[("patter.toml", "# a comment\n[server]\nport = 1001\n")]);

    let from_file = load(&Sources::none().directory(file_only.path()));
    assert_eq!(from_file.server.port, 1001);
    let origin = Origin::File {
        name: "patter.toml".into(),
        line: 3,
    };
    assert_eq!(origin_of(&from_file, "server.port"), origin);

    let from_dot_env = load(&Sources::none().directory(files.path()));
    assert_eq!(from_dot_env.server.port, 1002);
    let origin = Origin::DotEnv {
        variable: "PORT".into(),
    };
    assert_eq!(origin_of(&from_dot_env, "server.port"), origin);

    let with_environment = with_variables(&[("PORT", "1003")]).directory(files.path());
    let config = load(&with_environment);
    assert_eq!(config.server.port, 1003);
    let origin = Origin::Environment {
        variable: "PORT".into(),
    };
    assert_eq!(origin_of(&config, "server.port"), origin);

    let config = load(&with_environment.set("server.port", "1004"));
    assert_eq!(config.server.port, 1004);
    assert_eq!(
        origin_of(&config, "server.port"),
        Origin::Flag("--set".into())
    );
}

#[test]
fn a_named_file_is_read_instead_of_the_usual_one() {
    let files = directory(&[
        ("patter.toml", "server.port = 1"),
        ("other.toml", "server.port = 2"),
    ]);
    let sources = Sources::none()
        .directory(files.path())
        .file(files.path().join("other.toml"));
    assert_eq!(load(&sources).server.port, 2);
}

#[test]
fn a_named_file_that_is_missing_is_a_fault() {
    let files = directory(&[]);
    let fault = only_fault(&Sources::none().file(files.path().join("missing.toml")));
    assert!(fault.subject.ends_with("missing.toml"));
    assert!(fault.problem.contains("cannot be read"), "{fault}");
}

#[test]
fn names_that_people_have_already_are_understood() {
    let config = load(&with_variables(&[
        ("HOST", "0.0.0.0"),
        ("PATTER_AUTH__MODE", "none"),
        ("SUPABASE_URL", "https://project.supabase.co"),
        ("SUPABASE_JWT_SECRET", "a-secret-of-more-than-32-characters"),
        ("PORT", "9000"),
        ("DATABASE_URL", "postgres://me:pw@db/chat"),
        ("GEMINI_API_KEY", "gemini-key"),
        ("GEMINI_BASE_URL", "http://127.0.0.1:1"),
        ("OPENAI_API_KEY", "openai-key"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:2/v1"),
        ("RUST_LOG", "debug"),
    ]));
    assert_eq!(
        (config.server.host.as_str(), config.server.port),
        ("0.0.0.0", 9000)
    );
    assert_eq!(
        config.auth.keys_url().as_deref(),
        Some("https://project.supabase.co/auth/v1/.well-known/jwks.json")
    );
    assert_eq!(
        config.auth.expected_issuer().as_deref(),
        Some("https://project.supabase.co/auth/v1")
    );
    assert!(config.auth.hs256_secret.is_some());
    let StoreTarget::Postgres(url) = &config.store.target else {
        panic!("{config:?}")
    };
    assert_eq!(url.expose_secret(), "postgres://me:pw@db/chat");
    assert_eq!(
        config.gemini.api_key.as_ref().unwrap().expose_secret(),
        "gemini-key"
    );
    assert_eq!(
        config.gemini.base_url.as_deref(),
        Some("http://127.0.0.1:1")
    );
    assert_eq!(
        config.openai.api_key.as_ref().unwrap().expose_secret(),
        "openai-key"
    );
    assert_eq!(
        config.openai.base_url.as_deref(),
        Some("http://127.0.0.1:2/v1")
    );
    assert_eq!(config.log.filter, "debug");
}

#[test]
fn of_several_names_for_one_key_our_own_wins_and_then_google_s() {
    let key = |variables: &[(&str, &str)]| {
        load(&with_variables(variables))
            .gemini
            .api_key
            .unwrap()
            .expose_secret()
            .to_owned()
    };
    let gemini = ("GEMINI_API_KEY", "a");
    let google = ("GOOGLE_API_KEY", "b");
    let own = ("PATTER_GEMINI__API_KEY", "c");
    assert_eq!(key(&[gemini]), "a");
    assert_eq!(key(&[gemini, google]), "b");
    assert_eq!(key(&[gemini, google, own]), "c");
}

#[test]
fn variables_of_others_are_nobody_s_concern() {
    load(&with_variables(&[
        ("REDIS_URL", "redis://127.0.0.1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"),
        ("SUPABASE_URL", "https://example.supabase.co"),
        ("PATTER_WEB", "plain"),
        ("PATTER_BIN", "target/debug/patter"),
        // What Kubernetes tells about a service that is called `patter`.
        ("PATTER_SERVICE_HOST", "10.0.0.1"),
        ("PATTER_SERVICE_PORT_HTTP", "8000"),
        ("PATTER_PORT", "tcp://10.0.0.1:8000"),
        ("PATTER_PORT_8000_TCP_ADDR", "10.0.0.1"),
    ]));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let config = load(&with_variables(&[
        ("PORT", ""),
        ("GEMINI_API_KEY", " "),
        ("HOST", "::1"),
    ]));
    assert_eq!(config.server.port, 8000);
    assert!(config.gemini.api_key.is_none());
    assert_eq!(config.server.host, "::1");
}

#[test]
fn a_dot_env_file_is_not_put_into_the_environment() {
    let files = directory(&[(".env", "PATTER_LLM__MODEL=\"from the file\"\n")]);
    let config = load(&Sources::none().directory(files.path()));
    assert_eq!(config.llm.model.as_deref(), Some("from the file"));
    assert_eq!(std::env::var_os("PATTER_LLM__MODEL"), None);
}

#[test]
fn times_may_have_a_fraction_and_lists_have_commas() {
    let config = load(&with_variables(&[
        ("PATTER_SESSION__LINGER", "0.25"),
        ("PATTER_TOOLS__ENABLED", "calculator, data_fetcher"),
        ("PATTER_DEMO__DELAY_MS", "0"),
        ("PATTER_LLM__TEMPERATURE", "0.5"),
    ]));
    assert_eq!(config.session.linger, Duration::from_millis(250));
    assert_eq!(config.tools.enabled, ["calculator", "data_fetcher"]);
    assert_eq!(config.demo.delay, Duration::ZERO);
    assert_eq!(config.llm.temperature, Some(0.5));
}

#[test]
fn a_list_of_the_file_may_be_empty() {
    let files = directory(&[("patter.toml", "[tools]\nenabled = []\n")]);
    assert!(
        load(&Sources::none().directory(files.path()))
            .tools
            .enabled
            .is_empty()
    );
}

#[test]
fn a_system_prompt_may_have_several_lines_and_is_shown_on_one() {
    let prompt = format!("first\nsecond {}", "x".repeat(500));
    let config = load(&Sources::none().set("llm.system_prompt", &prompt));
    assert_eq!(config.llm.system_prompt, prompt);
    let shown = shown(&config, "llm.system_prompt").unwrap();
    assert!(
        shown.starts_with("first\\nsecond") && shown.len() < 120,
        "{shown}"
    );
}

#[test]
fn a_store_may_be_named_in_several_ways() {
    let path = |text: &str| match load(&Sources::none().set("store.url", text)).store.target {
        StoreTarget::Sqlite(path) => path.display().to_string(),
        StoreTarget::Postgres(_) => "postgres".to_owned(),
    };
    assert_eq!(path("sqlite:data/a.db"), "data/a.db");
    assert_eq!(path("sqlite://data/a.db"), "data/a.db");
    assert_eq!(path("sqlite:///var/a.db"), "/var/a.db");
    assert_eq!(path("./a.db"), "./a.db");
    assert_eq!(path("/var/lib/patter.db"), "/var/lib/patter.db");
    assert_eq!(path("postgresql:///chat?host=/run/postgresql"), "postgres");
}

/// A key, a value that it does not take, and what it says that it takes.
const NOT_TAKEN: &[(&str, &str, &str)] = &[
    ("server.port", "65536", "a whole number from 0 to 65535"),
    ("server.port", "-1", "a whole number from 0 to 65535"),
    ("server.port", "eighty", "a whole number from 0 to 65535"),
    ("server.host", "a b", "an IP address or a host name"),
    (
        "server.max_connections",
        "0",
        "a whole number from 1 to 1000000",
    ),
    (
        "session.linger",
        "-1",
        "a number of seconds from 0 to 86400",
    ),
    (
        "session.linger",
        "NaN",
        "a number of seconds from 0 to 86400",
    ),
    (
        "session.linger",
        "inf",
        "a number of seconds from 0 to 86400",
    ),
    (
        "demo.delay_ms",
        "1.5",
        "a whole number of milliseconds from 0 to 10000",
    ),
    ("llm.temperature", "2.1", "a number from 0 to 2"),
    ("llm.model", " ", "text that is not empty"),
    (
        "llm.provider",
        "My Server",
        "`auto`, `gemini`, `openai`, `demo` or the NAME",
    ),
    ("openai.base_url", "api.openai.com", "an http or https URL"),
    ("openai.base_url", "ftp://127.0.0.1", "an http or https URL"),
    (
        "openai.base_url",
        "http://127.0.0.1/v1?key=1",
        "an http or https URL",
    ),
    (
        "openai.api_key",
        "two words",
        "a key of visible ASCII characters",
    ),
    (
        "store.url",
        "mysql://127.0.0.1/chat",
        "`sqlite:PATH` without parameters",
    ),
    (
        "store.url",
        "db.example.org/chat",
        "`sqlite:PATH` without parameters",
    ),
    (
        "store.url",
        "sqlite::memory:",
        "`sqlite:PATH` without parameters",
    ),
    (
        "store.url",
        "sqlite:a.db?mode=ro",
        "`sqlite:PATH` without parameters",
    ),
    (
        "store.url",
        "postgres://me:p/w@db/chat",
        "`sqlite:PATH` without parameters",
    ),
    (
        "tools.enabled",
        "calculator,shell",
        "none, one or several of `calculator`",
    ),
    ("log.format", "xml", "one of `auto`, `text`, `json`"),
    ("log.filter", "patter=loud", "directives such as `info`"),
];

#[test]
fn a_value_that_its_key_does_not_take_is_a_fault_that_says_what_it_takes() {
    for (key, value, expected) in NOT_TAKEN.iter().copied() {
        let fault = only_fault(&Sources::none().set(key, value));
        assert_eq!(fault.subject, key);
        assert_eq!(fault.origin, Some(Origin::Flag("--set".into())));
        assert!(
            fault.problem.starts_with(&format!("expected {expected}")),
            "{fault}"
        );
    }
}

#[test]
fn a_value_of_the_file_of_the_wrong_type_is_a_fault() {
    for text in [
        "server.port = [1, 2]",
        "server.port = { number = 1 }",
        "server.port = true",
        "tools.enabled = [[\"calculator\"]]",
        "llm.model = [\"one\", \"two\"]",
        "server = 1",
    ] {
        let files = directory(&[("patter.toml", text)]);
        let fault = only_fault(&Sources::none().directory(files.path()));
        let origin = Origin::File {
            name: "patter.toml".into(),
            line: 1,
        };
        assert_eq!(fault.origin, Some(origin), "{fault}");
    }
}

#[test]
fn a_key_that_does_not_exist_is_a_fault_with_the_one_that_was_meant() {
    let files = directory(&[("patter.toml", "[sever]\nport = 1\n[llm]\nmodle = \"m\"\n")]);
    let error = refused(
        &with_variables(&[("PATTER_PORT", "9000"), ("PATTER_SESSION__LINGRE", "1")])
            .directory(files.path())
            .set("routing", "a")
            .set("providers.mine.colour", "x"),
    );
    let text = error.to_string();
    assert!(
        text.contains("sever (patter.toml line 1): there is no such key"),
        "{text}"
    );
    assert!(text.contains("llm.modle (patter.toml line 4)"), "{text}");
    assert!(text.contains("did you mean `llm.model`?"), "{text}");
    assert!(
        text.contains("port (environment variable PATTER_PORT)"),
        "{text}"
    );
    assert!(
        text.contains("did you mean `PATTER_SERVER__PORT`?"),
        "{text}"
    );
    assert!(
        text.contains("did you mean `PATTER_SESSION__LINGER`?"),
        "{text}"
    );
    assert!(
        text.contains("providers.mine.colour (flag --set): there is no such key; docs"),
        "{text}"
    );
    assert!(
        text.contains("routing (flag --set): there is no such key; docs"),
        "{text}"
    );
}

#[test]
fn a_table_that_does_not_exist_is_a_fault_with_the_table_that_was_meant() {
    let files = directory(&[(
        "patter.toml",
        "[sever]\nport = 1\n[[model]]\nname = \"m\"\n[provider.a]\nmodel = \"m\"\n\
         [classifier.lables]\na = \"b\"\n",
    )]);
    let text = refused(&Sources::none().directory(files.path())).to_string();
    for fault in [
        "sever (patter.toml line 1): there is no such key; did you mean `server`?",
        "model (patter.toml line 3): there is no such key; did you mean `models`?",
        "provider (patter.toml line 5): there is no such key; did you mean `providers`?",
        "classifier.lables (patter.toml line 7): there is no such key; did you mean \
         `classifier.labels`?",
    ] {
        assert!(text.contains(fault), "{text}");
    }
}

#[test]
fn a_value_in_the_place_of_a_table_is_a_fault_that_names_a_key_in_it() {
    let files = directory(&[(
        "patter.toml",
        "llm = \"a\"\n[[routes]]\nname = \"a\"\nmetadata = 3\n[classifier]\nlabels = [\"a\"]\n",
    )]);
    let sources = with_variables(&[("PATTER_PROVIDERS__MINE", "a")]);
    let text = refused(&sources.directory(files.path())).to_string();
    for fault in [
        "llm (patter.toml line 1): this is a table; the value belongs to a key in it, such as \
         `llm.provider`",
        "routes.0.metadata (patter.toml line 4): this is a table; the value belongs to a key in \
         it, such as `routes.0.metadata.NAME`",
        "classifier.labels (patter.toml line 6): this is a table; the value belongs to a key in \
         it, such as `classifier.labels.NAME`",
        "such as `PATTER_PROVIDERS__MINE__KIND`",
    ] {
        assert!(text.contains(fault), "{text}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let files = directory(&[
        (
            "patter.toml",
            "[session]\nmax_steps = 0\nmax_readers = \"many\"\n",
        ),
        (".env", "PATTER_LOG__FORMAT=xml\nthis is no line\n"),
    ]);
    let sources = with_variables(&[("PORT", "99999"), ("PATTER_NO__SUCH", "1")])
        .directory(files.path())
        .set("llm.provider", "gemini");
    let text = refused(&sources).to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 8, "{text}");
    assert_eq!(lines[0], "the configuration has 7 faults:");
    for line in [
        "session.max_steps = \"0\" (patter.toml line 2): expected a whole number from 1 to 100",
        "session.max_readers = \"many\" (patter.toml line 3): expected a whole number from 1 to 1000",
        "log.format = \"xml\" (PATTER_LOG__FORMAT in .env): expected one of `auto`, `text`, `json`",
        "(.env line 2): expected lines like NAME=value",
        "server.port = \"99999\" (environment variable PORT): expected a whole number from 0 to 65535",
        "no.such (environment variable PATTER_NO__SUCH): there is no such key",
        "llm.provider = \"gemini\" (flag --set): it has no key",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
}

#[test]
fn a_file_that_is_not_toml_is_told_with_its_line_and_without_its_text() {
    let files = directory(&[("patter.toml", "[openai]\napi_key = sk-secret\n")]);
    let fault = only_fault(&Sources::none().directory(files.path()));
    assert_eq!(
        fault.origin,
        Some(Origin::File {
            name: "patter.toml".into(),
            line: 2
        })
    );
    assert!(!fault.to_string().contains("sk-secret"), "{fault}");
}

#[test]
fn a_folder_with_the_name_of_a_file_is_something_else() {
    let files = directory(&[]);
    std::fs::create_dir(files.path().join(".env")).unwrap();
    load(&Sources::none().directory(files.path()));
}

#[test]
fn a_byte_order_mark_is_no_fault() {
    let files = directory(&[
        ("patter.toml", "\u{feff}server.host = \"::1\"\n"),
        (".env", "\u{feff}PORT=1234\n"),
    ]);
    let config = load(&Sources::none().directory(files.path()));
    assert_eq!(
        (config.server.host.as_str(), config.server.port),
        ("::1", 1234)
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_a_fault_if_it_is_ours() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let bytes = || OsString::from_vec(vec![0xff, 0xfe]);
    let fault = only_fault(&Sources::none().environment([
        (OsString::from("PORT"), bytes()),
        (OsString::from("LS_COLORS"), bytes()),
        (bytes(), bytes()),
    ]));
    assert_eq!(
        (fault.subject.as_str(), fault.problem.as_str()),
        ("PORT", "expected UTF-8")
    );
}

#[test]
fn secrets_are_shown_nowhere() {
    let config = load(&with_variables(&[
        ("GEMINI_API_KEY", "hush-1"),
        ("OPENAI_API_KEY", "hush-2"),
        (
            "DATABASE_URL",
            "postgres://me:hush-3@db:5432/chat?sslmode=require&sslpassword=hush-4",
        ),
        (
            "PATTER_PROVIDERS__OLLAMA__BASE_URL",
            "http://127.0.0.1:11434/v1",
        ),
        ("PATTER_PROVIDERS__OLLAMA__MODEL", "qwen3"),
        ("PATTER_PROVIDERS__OLLAMA__API_KEY_ENV", "OLLAMA_KEY"),
        ("OLLAMA_KEY", "hush-5"),
    ]));
    assert_eq!(shown(&config, "gemini.api_key").as_deref(), Some("***"));
    assert_eq!(
        shown(&config, "store.url").as_deref(),
        Some("postgres://me:***@db:5432/chat?sslmode=require&sslpassword=***")
    );
    let everything = format!("{config:?}\n{}\n{:?}", config.describe(), config.primary());
    assert!(!everything.contains("hush"), "{everything}");
}

#[test]
fn a_fault_does_not_show_a_secret_either() {
    for (key, value) in [
        ("openai.api_key", "hush hush"),
        ("openai.api_kye", "hush"),
        ("openai.base_url", "https://me:hush@127.0.0.1/v1"),
        ("openai.base_url", "https://hush@127.0.0.1/v1"),
        ("openai.base_url", "https://127.0.0.1/v1?api_key=hush"),
        ("openai.base_url", "https://127.0.0.1/v1#hush"),
        ("store.url", "mysql://me:hush@db/chat"),
        ("store.url", "me:hush@db/chat"),
        ("store.url", "postgres:me:hush@db/chat"),
        ("store.url", "postgres://me:hu/sh@db/chat"),
        ("store.url", "mysql://me:12/hush@db/chat"),
        ("store.url", "host=db password=hush"),
    ] {
        let fault = only_fault(&Sources::none().set(key, value)).to_string();
        assert!(
            !fault.contains("hu/sh") && !fault.contains("hush"),
            "{fault}"
        );
    }
}
