//! Which models the configuration sets up: the primary one, fallbacks, providers of one's own,
//! and what is known about a model.

use patter_llm::{Api, ReasoningEffort, SchemaForm};
use patter_server::config::{ModelName, Origin, ProviderKind, Sources};
use secrecy::ExposeSecret;

use crate::support::configured::{
    directory, file, load, only_fault, origin_of, refused, with_variables,
};

#[test]
fn auto_takes_gemini_if_it_has_a_key_and_then_openai_and_then_the_demo() {
    let gemini = ("GEMINI_API_KEY", "g");
    let openai = ("OPENAI_API_KEY", "o");
    let why = load(&with_variables(&[])).why_primary();
    let chosen = |variables: &[(&str, &str)]| load(&with_variables(variables)).primary();

    let both = chosen(&[gemini, openai]);
    assert_eq!(
        (both.provider.as_str(), both.kind),
        ("gemini", ProviderKind::Gemini)
    );
    assert_eq!(both.model, "gemini-3.5-flash-lite");
    assert_eq!(both.key.unwrap().expose_secret(), "g");

    let second = chosen(&[openai, ("OPENAI_BASE_URL", "http://127.0.0.1:2/v1")]);
    assert_eq!(
        (second.provider.as_str(), second.kind),
        ("openai", ProviderKind::OpenAi)
    );
    assert_eq!(second.model, "gpt-6-luna");
    assert_eq!(second.base_url.as_deref(), Some("http://127.0.0.1:2/v1"));

    let none = chosen(&[]);
    assert_eq!(
        (none.provider.as_str(), none.kind),
        ("demo", ProviderKind::Demo)
    );
    assert!(why.contains("GEMINI_API_KEY"), "{why}");
}

#[test]
fn a_named_provider_or_model_is_taken_whatever_keys_there_are() {
    let sources = with_variables(&[("GEMINI_API_KEY", "g"), ("OPENAI_API_KEY", "o")]);
    let chosen = |provider: &str| {
        let sources = sources
            .clone()
            .set("llm.provider", provider)
            .set("llm.model", "mine");
        let chosen = load(&sources).primary();
        (chosen.kind, chosen.model)
    };
    assert_eq!(chosen("gemini"), (ProviderKind::Gemini, "mine".to_owned()));
    assert_eq!(chosen("openai"), (ProviderKind::OpenAi, "mine".to_owned()));
    assert_eq!(chosen("demo"), (ProviderKind::Demo, "demo".to_owned()));
}

#[test]
fn an_explicit_provider_without_a_key_is_a_fault() {
    for (provider, variable) in [("gemini", "GEMINI_API_KEY"), ("openai", "OPENAI_API_KEY")] {
        let fault = only_fault(&Sources::none().set("llm.provider", provider));
        assert_eq!(fault.subject, "llm.provider");
        assert!(fault.problem.contains(variable), "{fault}");
    }
}

#[test]
fn a_server_that_speaks_openai_may_want_no_key() {
    let sources = with_variables(&[("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1")]);
    let why = load(&sources).why_primary();
    assert!(why.contains("llm.provider = openai"), "{why}");
    let chosen = load(&sources.set("llm.provider", "openai")).primary();
    assert_eq!(chosen.kind, ProviderKind::OpenAi);
    assert!(chosen.key.is_none());
}

#[test]
fn a_provider_of_one_s_own_is_a_few_lines() {
    let files = directory(&[(
        "patter.toml",
        "[llm]\nprovider = \"ollama\"\n\n[providers.ollama]\nbase_url = \
         \"http://127.0.0.1:11434/v1\"\nmodel = \"qwen3\"\napi_key_env = \"OLLAMA_KEY\"\n",
    )]);
    let sources = with_variables(&[("OLLAMA_KEY", "o")]).directory(files.path());
    let chosen = load(&sources).primary();
    assert_eq!(
        (chosen.provider.as_str(), chosen.kind),
        ("ollama", ProviderKind::OpenAi)
    );
    assert_eq!(
        chosen.base_url.as_deref(),
        Some("http://127.0.0.1:11434/v1")
    );
    assert_eq!(chosen.model, "qwen3");
    assert_eq!(chosen.key.unwrap().expose_secret(), "o");
}

#[test]
fn a_provider_that_lacks_something_is_a_fault() {
    let sources = Sources::none()
        .set("providers.mine.kind", "gemini")
        .set("providers.demo.base_url", "http://127.0.0.1")
        .set("providers.demo.model", "m")
        .set("llm.provider", "ollama");
    let text = refused(&sources).to_string();
    assert!(
        text.contains("providers.mine (flag --set): `base_url` is missing"),
        "{text}"
    );
    assert!(
        text.contains("providers.mine (flag --set): `model` is missing"),
        "{text}"
    );
    assert!(
        text.contains("providers.demo (flag --set): the name is taken"),
        "{text}"
    );
    assert!(text.contains("there is no [providers.ollama]"), "{text}");
}

#[test]
fn a_chosen_provider_whose_key_is_not_set_is_a_fault() {
    let sources = Sources::none()
        .set("providers.mine.base_url", "http://127.0.0.1/v1")
        .set("providers.mine.model", "m")
        .set("providers.mine.api_key_env", "MY_KEY")
        .set("llm.provider", "mine");
    let fault = only_fault(&sources);
    assert!(
        fault.problem.contains("the variable MY_KEY is not set"),
        "{fault}"
    );
    let fault = only_fault(&sources.environment([("MY_KEY", "hush\nhush")]));
    assert!(
        fault.problem.contains("the variable MY_KEY holds no key"),
        "{fault}"
    );
    assert!(!fault.problem.contains("hush"), "{fault}");
}

#[test]
fn a_key_in_the_place_of_its_variable_is_a_fault_that_does_not_show_it() {
    let sources = Sources::none()
        .set("providers.mine.base_url", "http://127.0.0.1/v1")
        .set("providers.mine.model", "m")
        .set("providers.mine.api_key_env", "AIzaHush123")
        .set("llm.provider", "mine");
    let fault = only_fault(&sources);
    assert_eq!(fault.subject, "providers.mine.api_key_env");
    assert!(!fault.to_string().contains("Hush"), "{fault}");
}

/// Both well-known providers with a key, and a server that wants none.
fn three_providers() -> Sources {
    with_variables(&[("GEMINI_API_KEY", "g"), ("OPENAI_API_KEY", "o")])
        .set("providers.local.base_url", "http://127.0.0.1:11434/v1")
        .set("providers.local.model", "qwen3")
}

#[test]
fn fallbacks_are_tried_in_the_order_in_which_they_stand() {
    let sources = three_providers().set("llm.model", "gemini-9");
    let names = |sources: &Sources| {
        let fallbacks = load(sources).fallbacks().into_iter();
        fallbacks
            .map(|target| format!("{}: {}", target.provider, target.model))
            .collect::<Vec<_>>()
    };
    assert!(names(&sources).is_empty());
    // Of two slashes the first one counts, and `llm.model` is the primary provider's alone.
    let given = sources.clone().set(
        "llm.fallbacks",
        "openai, local/meta/llama-4 ,local,gemini,demo",
    );
    let expected = [
        "openai: gpt-6-luna",
        "local: meta/llama-4",
        "local: qwen3",
        "gemini: gemini-3.5-flash-lite",
        "demo: demo",
    ];
    assert_eq!(names(&given), expected);

    let files = file("llm.fallbacks = [\"openai/gpt-5.6-sol\", \"demo\"]");
    let given = sources.directory(files.path());
    assert_eq!(names(&given), ["openai: gpt-5.6-sol", "demo: demo"]);
}

#[test]
fn a_fallback_reaches_its_provider_as_the_primary_would() {
    let sources = three_providers()
        .set("llm.provider", "local")
        .set("llm.fallbacks", "openai")
        .set("openai.base_url", "http://127.0.0.1:1/v1")
        .set("openai.api", "responses");
    let fallback = load(&sources).fallbacks().remove(0);
    assert_eq!(fallback.kind, ProviderKind::OpenAi);
    assert_eq!(fallback.base_url.as_deref(), Some("http://127.0.0.1:1/v1"));
    assert_eq!(fallback.key.unwrap().expose_secret(), "o");
    assert_eq!(fallback.api, Some(Api::Responses));
}

#[test]
fn a_fallback_that_cannot_be_asked_is_a_fault() {
    let sources = with_variables(&[("GEMINI_API_KEY", "g")])
        .set("providers.mine.base_url", "http://127.0.0.1/v1")
        .set("providers.mine.model", "m")
        .set("providers.mine.api_key_env", "MY_KEY")
        .set("llm.fallbacks", "openai,mine/m2,ollama");
    let text = refused(&sources).to_string();
    for line in [
        "llm.fallbacks = \"openai,mine/m2,ollama\" (flag --set): `openai` cannot be asked: it has \
         no key: set OPENAI_API_KEY or openai.api_key",
        "`mine/m2` cannot be asked: its key is missing: the variable MY_KEY is not set",
        "`ollama` cannot be asked: there is no [providers.ollama]; there are gemini, openai, demo, \
         mine",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
    assert_eq!(refused(&sources).faults.len(), 3, "{text}");
}

#[test]
fn a_fallback_that_adds_nothing_is_a_fault() {
    let problem = |fallbacks: &str| {
        let sources = three_providers().set("llm.fallbacks", fallbacks);
        only_fault(&sources).problem
    };
    let primary = "is the model that answers anyway";
    assert!(problem("gemini").contains(primary));
    assert!(problem("gemini/gemini-3.5-flash-lite").contains(primary));
    assert!(problem("openai,openai/gpt-6-luna").contains("`openai/gpt-6-luna` stands here before"));
    assert!(problem("demo,demo/again").contains("`demo/again` stands here before"));

    let own = three_providers().set("llm.provider", "local");
    assert!(
        only_fault(&own.set("llm.fallbacks", "local/qwen3"))
            .problem
            .contains(primary)
    );
    let demo = Sources::none().set("llm.fallbacks", "demo");
    assert!(only_fault(&demo).problem.contains(primary));
}

#[test]
fn what_names_no_model_is_a_fault() {
    for text in [
        "open ai",
        "openai/",
        "/gpt-6-luna",
        "auto",
        "auto/x",
        "openai,,/",
    ] {
        let fault = only_fault(&three_providers().set("llm.fallbacks", text));
        let expected = "expected a list of `PROVIDER` or `PROVIDER/MODEL`, where PROVIDER is \
                        `gemini`, `openai`, `demo` or the NAME of a `[providers.NAME]`, in small \
                        letters";
        assert_eq!(fault.problem, expected, "{text}");
        assert_eq!(ModelName::parse(text), None);
    }
    let files = file("llm.fallbacks = [\"openai\", \"\"]");
    only_fault(&three_providers().directory(files.path()));
}

#[test]
fn how_a_provider_is_spoken_to_can_be_chosen() {
    let usual = load(&three_providers());
    assert_eq!(usual.primary().tool_schema, SchemaForm::JsonSchema);
    assert_eq!(usual.openai.api, None);
    assert_eq!((usual.llm.retries, usual.llm.reasoning_effort), (2, None));

    let changed = load(
        &three_providers()
            .set("gemini.tool_schema", "open_api")
            .set("openai.api", "chat")
            .set("providers.local.api", "responses")
            .set("providers.proxy.kind", "gemini")
            .set("providers.proxy.base_url", "http://127.0.0.1:1")
            .set("providers.proxy.model", "m")
            .set("providers.proxy.tool_schema", "open_api")
            .set("llm.reasoning_effort", "low"),
    );
    let target = |provider: &str| {
        changed
            .target(&ModelName::parse(provider).unwrap())
            .unwrap()
    };
    assert_eq!(target("gemini").tool_schema, SchemaForm::OpenApi);
    assert_eq!(target("openai").api, Some(Api::Chat));
    assert_eq!(target("local").api, Some(Api::Responses));
    assert_eq!(target("proxy").tool_schema, SchemaForm::OpenApi);
    assert_eq!(changed.llm.reasoning_effort, Some(ReasoningEffort::Low));
}

#[test]
fn what_a_provider_would_not_heed_is_a_fault() {
    let own = |kind: &str, key: &str, value: &str| {
        let sources = three_providers().set("providers.local.kind", kind);
        only_fault(&sources.set(format!("providers.local.{key}"), value)).to_string()
    };
    assert_eq!(
        own("gemini", "api", "chat"),
        "providers.local.api = \"chat\" (flag --set): only a provider of kind `openai` takes it"
    );
    let fault = own("openai", "tool_schema", "open_api");
    assert!(fault.ends_with("only a provider of kind `gemini` takes it"));
    // Of what kind it was meant to be is not known then, and only that is told.
    let sources = three_providers().set("providers.local.api", "chat");
    let fault = only_fault(&sources.set("providers.local.kind", "ollama"));
    assert_eq!(fault.subject, "providers.local.kind");
}

const TWO_MODELS: &str = r#"
[[models]]
provider = "local"
name = "qwen3"
context_window = 32768

[[models]]
provider = "openai"
name = "gpt-6-luna"
input_price = 0.25
output_price = 1
cached_input_price = 0.025
max_output_tokens = 1000
"#;

#[test]
fn what_is_known_about_a_model_is_a_list_of_tables() {
    let files = file(TWO_MODELS);
    let config = load(&three_providers().directory(files.path()));
    assert_eq!(config.models.len(), 2);
    let (first, second) = (&config.models[0], &config.models[1]);
    assert_eq!(
        (first.provider.as_str(), first.name.as_str()),
        ("local", "qwen3")
    );
    assert_eq!(
        (first.context_window, first.input_price),
        (Some(32_768), None)
    );
    assert_eq!(second.max_output_tokens, Some(1000));
    assert_eq!(
        (
            second.input_price,
            second.output_price,
            second.cached_input_price
        ),
        (Some(0.25), Some(1.0), Some(0.025))
    );
    let origin = Origin::File {
        name: "patter.toml".into(),
        line: 9,
    };
    assert_eq!(origin_of(&config, "models.1.name"), origin);
}

#[test]
fn a_variable_can_change_one_key_of_a_list_or_add_to_it() {
    let files = file(TWO_MODELS);
    let variables = [
        ("GEMINI_API_KEY", "g"),
        ("PATTER_MODELS__0__CONTEXT_WINDOW", "4096"),
        ("PATTER_MODELS__2__PROVIDER", "gemini"),
        ("PATTER_MODELS__2__NAME", "gemini-9"),
    ];
    let sources = three_providers()
        .environment(variables)
        .directory(files.path());
    let config = load(&sources);
    assert_eq!(config.models[0].context_window, Some(4096));
    assert_eq!(config.models[0].name, "qwen3");
    assert_eq!(config.models[2].name, "gemini-9");

    let places = config.settings().iter().filter_map(|setting| {
        let (place, _) = setting.key.strip_prefix("models.")?.split_once('.')?;
        Some(place.to_owned())
    });
    let places: Vec<_> = places.collect();
    assert!(places.is_sorted() && places.len() == 11, "{places:?}");
}

#[test]
fn more_than_ten_tables_keep_their_order() {
    let mut sources = three_providers();
    for place in 0..12 {
        sources = sources
            .set(format!("models.{place}.provider"), "openai")
            .set(format!("models.{place}.name"), format!("m{place}"));
    }
    let config = load(&sources);
    let names = config.models.iter().map(|model| model.name.as_str());
    let expected: Vec<_> = (0..12).map(|place| format!("m{place}")).collect();
    assert!(names.eq(expected.iter().map(String::as_str)));
    let shown = config.describe();
    assert!(shown.find("models.9.name") < shown.find("models.10.name"));
}

#[test]
fn a_place_that_is_left_out_is_a_fault() {
    let sources = three_providers()
        .set("models.0.provider", "openai")
        .set("models.0.name", "m")
        .set("models.2.provider", "openai")
        .set("models.2.name", "m2");
    assert_eq!(
        only_fault(&sources).to_string(),
        "models.2 (flag --set): there is no models.1; places are counted from 0"
    );
    for place in ["01", "+1", "-1", "1000", "one", ""] {
        let sources = three_providers().set(format!("models.{place}.name"), "m");
        let fault = only_fault(&sources);
        assert!(fault.problem.starts_with("there is no such key"), "{fault}");
    }
}

#[test]
fn what_is_no_list_of_tables_is_a_fault() {
    for text in [
        "models = 1",
        "models = [1]",
        "[models]\nname = \"m\"",
        "models = { name = \"m\" }",
    ] {
        let files = file(text);
        let fault = only_fault(&Sources::none().directory(files.path()));
        let expected = "models (patter.toml line 1): expected tables that begin with [[models]]";
        assert_eq!(fault.to_string(), expected, "{text}");
    }
    let files = file("[[models]]\nnmae = \"m\"\n\n[[models]]\n");
    let text = refused(&Sources::none().directory(files.path())).to_string();
    let misspelt = "models.0.nmae (patter.toml line 2): there is no such key; did you mean \
                    `models.0.name`?";
    assert!(text.contains(misspelt), "{text}");
    let empty = "models.1 (patter.toml line 4): there is nothing in this table";
    assert!(text.contains(empty), "{text}");

    let files = file("models = []");
    assert!(
        load(&Sources::none().directory(files.path()))
            .models
            .is_empty()
    );
}

#[test]
fn a_model_that_lacks_something_is_a_fault() {
    let model = |keys: &[(&str, &str)]| {
        let keys = keys
            .iter()
            .map(|(key, value)| (format!("models.0.{key}"), *value));
        let sources = keys.fold(three_providers(), |sources, (key, value)| {
            sources.set(key, value)
        });
        only_fault(&sources).to_string()
    };
    let name = ("name", "m");
    let openai = ("provider", "openai");
    assert!(model(&[name]).contains("models.0 (flag --set): `provider` is missing"));
    assert!(model(&[openai]).contains("models.0 (flag --set): `name` is missing"));
    let unknown = model(&[("provider", "ollama"), name]);
    assert!(unknown.contains("models.0.provider = \"ollama\" (flag --set): there is no"));
    assert!(model(&[("provider", "auto"), name]).contains("expected `gemini`, `openai`"));
    let half = model(&[openai, name, ("input_price", "1")]);
    assert!(half.contains("`input_price` and `output_price` go together"));
    let cached = model(&[openai, name, ("cached_input_price", "1")]);
    assert!(cached.contains("`cached_input_price` needs"));
    let negative = model(&[openai, name, ("input_price", "-1"), ("output_price", "1")]);
    assert!(negative.contains("expected a number from 0 to 100000"));

    let twice = three_providers()
        .set("models.0.provider", "openai")
        .set("models.0.name", "m")
        .set("models.1.provider", "openai")
        .set("models.1.name", "m");
    assert_eq!(
        only_fault(&twice).to_string(),
        "models.1 (flag --set): this model stands in the list before"
    );
}
