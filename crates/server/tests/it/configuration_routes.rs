//! Routes and their classifier in the configuration.

use std::time::Duration;

use patter_server::config::{Origin, Sources};
use serde_json::json;

use crate::support::configured::{file, load, only_fault, origin_of, refused, with_variables};

const ROUTES: &str = r#"
[[routes]]
name = "code"
words = ["rust", "stack trace, with a comma"]
pattern = 'error\[E\d{1,4}\]'
min_length = 2
max_length = 4000
script = "Latin"
tool = ["calculator"]
provider = "openai"
model = "gpt-5.6-terra"
system_prompt = "You read code."
tools = []
temperature = 0.2
max_output_tokens = 500

[[routes]]
name = "vip"
metadata = { tier = ["gold", 3], beta = true }
min_turns = 1
max_turns = 9
class = "work"

[classifier]
provider = "openai"
on_failure = "smalltalk"

[classifier.labels]
work = "orders and invoices"
smalltalk = "anything else"
"#;

fn both_keys() -> Sources {
    with_variables(&[("GEMINI_API_KEY", "g"), ("OPENAI_API_KEY", "o")])
}

fn problem(key: &str, value: &str) -> String {
    let sources = both_keys().set("routes.0.name", "r").set(key, value);
    only_fault(&sources).to_string()
}

#[test]
fn a_route_has_conditions_and_what_it_leads_to() {
    let files = file(ROUTES);
    let config = load(&both_keys().directory(files.path()));
    let [code, vip] = config.routes.as_slice() else {
        unreachable!("{:?}", config.routes)
    };
    assert_eq!((code.name.as_str(), vip.name.as_str()), ("code", "vip"));
    assert_eq!(code.when.words, ["rust", "stack trace, with a comma"]);
    assert_eq!(code.when.pattern, [r"error\[E\d{1,4}\]"]);
    assert_eq!(
        (code.when.min_length, code.when.max_length),
        (Some(2), Some(4000))
    );
    assert_eq!(code.when.script, ["Latin"]);
    assert_eq!(code.when.tool, ["calculator"]);
    assert_eq!(code.then.tools.as_deref(), Some([].as_slice()));
    assert_eq!(code.then.system_prompt.as_deref(), Some("You read code."));
    assert_eq!(
        (code.then.temperature, code.then.max_output_tokens),
        (Some(0.2), Some(500))
    );
    // What was written as text and what as a number is the same to a variable.
    assert_eq!(vip.when.metadata["tier"], json!(["gold", 3, "3"]));
    assert_eq!(vip.when.metadata["beta"], json!([true, "true"]));
    assert_eq!((vip.when.min_turns, vip.when.max_turns), (Some(1), Some(9)));
    assert_eq!(vip.when.class, ["work"]);
    let origin = Origin::File {
        name: "patter.toml".into(),
        line: 19,
    };
    assert_eq!(origin_of(&config, "routes.1.metadata.tier"), origin);
}

#[test]
fn a_route_leads_to_the_model_that_it_names_or_to_the_usual_one() {
    let sources = both_keys()
        .set("llm.model", "gemini-9")
        .set("routes.0.name", "r");
    let target = |keys: &[(&str, &str)]| {
        let keys = keys.iter();
        let sources = keys.fold(sources.clone(), |sources, (key, value)| {
            sources.set(*key, *value)
        });
        let config = load(&sources);
        let target = config.route_target(&config.routes[0].then);
        format!("{}: {}", target.provider, target.model)
    };
    let provider = ("routes.0.provider", "openai");
    let model = ("routes.0.model", "gpt-5.6-sol");
    assert_eq!(target(&[]), "gemini: gemini-9");
    assert_eq!(target(&[provider]), "openai: gpt-6-luna");
    assert_eq!(target(&[provider, model]), "openai: gpt-5.6-sol");
    assert_eq!(
        target(&[("routes.0.model", "gemini-8")]),
        "gemini: gemini-8"
    );
}

#[test]
fn a_route_can_be_given_by_variables_alone() {
    let config = load(&with_variables(&[
        ("OPENAI_API_KEY", "o"),
        ("PATTER_ROUTES__0__NAME", "code"),
        ("PATTER_ROUTES__0__WORDS", "rust, stack trace"),
        ("PATTER_ROUTES__0__PATTERN", "a{1,2}"),
        ("PATTER_ROUTES__0__METADATA__TIER", "gold,3"),
        ("PATTER_ROUTES__0__CLASS", "work"),
        ("PATTER_CLASSIFIER__LABELS__WORK", "orders"),
    ]));
    let route = &config.routes[0];
    assert_eq!(route.when.words, ["rust", "stack trace"]);
    assert_eq!(route.when.pattern, ["a{1,2}"]);
    assert_eq!(route.when.metadata["tier"], json!(["gold", 3, "3"]));
    let variable = "PATTER_ROUTES__0__NAME".into();
    assert_eq!(
        origin_of(&config, "routes.0.name"),
        Origin::Environment { variable }
    );
}

#[test]
fn conditions_that_no_message_could_meet_are_faults_of_their_keys() {
    for (key, value, expected) in [
        (
            "routes.0.pattern",
            "(",
            "routes.0.pattern = \"(\" (flag --set): ",
        ),
        (
            "routes.0.script",
            "Klingon",
            "routes.0.script = \"Klingon\" (flag --set): ",
        ),
        (
            "routes.0.class",
            "work",
            "routes.0.class = \"work\" (flag --set): ",
        ),
        (
            "routes.0.min_length",
            "-1",
            "expected a whole number from 0 to 1000000",
        ),
        ("routes.0.temperature", "3", "expected a number from 0 to 2"),
        (
            "routes.0.words",
            ",",
            "expected one or several texts, none of them empty",
        ),
    ] {
        let fault = problem(key, value);
        assert!(fault.contains(expected), "{fault}");
    }
    let turns = both_keys()
        .set("routes.0.name", "r")
        .set("routes.0.min_turns", "5")
        .set("routes.0.max_turns", "4");
    let fault = only_fault(&turns).to_string();
    assert!(fault.starts_with("routes.0.m"), "{fault}");
}

#[test]
fn a_route_needs_a_name_of_its_own() {
    let nameless = both_keys().set("routes.0.words", "rust");
    assert_eq!(
        only_fault(&nameless).to_string(),
        "routes.0 (flag --set): `name` is missing"
    );
    let twice = both_keys()
        .set("routes.0.name", "r")
        .set("routes.0.words", "rust")
        .set("routes.1.name", "r");
    assert_eq!(only_fault(&twice).subject, "routes.1.name");
    let reserved = both_keys().set("routes.0.name", "default");
    assert_eq!(only_fault(&reserved).subject, "routes.0.name");
}

#[test]
fn a_route_that_is_offered_needs_what_it_is_chosen_by() {
    let offered = both_keys()
        .set("routes.0.name", "r")
        .set("routes.0.words", "rust")
        .set("routes.0.offered", "true");
    assert_eq!(only_fault(&offered).subject, "routes.0.offered");
    let config = load(&offered.set("routes.0.metadata.depth", "deep"));
    assert!(config.routes[0].then.offered);
}

#[test]
fn a_route_behind_one_that_is_always_taken_is_a_fault() {
    let sources = both_keys()
        .set("routes.0.name", "all")
        .set("routes.1.name", "never");
    let fault = only_fault(&sources);
    assert_eq!(fault.subject, "routes.1.name");
    assert!(fault.problem.contains("never reached"), "{fault}");
}

#[test]
fn a_route_to_a_provider_that_cannot_be_asked_is_a_fault() {
    let sources = Sources::none().set("routes.0.name", "r");
    assert_eq!(
        only_fault(&sources.clone().set("routes.0.provider", "openai")).to_string(),
        "routes.0.provider = \"openai\" (flag --set): it has no key: set OPENAI_API_KEY or \
         openai.api_key"
    );
    let fault = only_fault(&sources.clone().set("routes.0.provider", "ollama"));
    assert!(
        fault.problem.contains("there is no [providers.ollama]"),
        "{fault}"
    );
    let fault = only_fault(&sources.set("routes.0.provider", "auto"));
    assert!(fault.problem.starts_with("expected `gemini`"), "{fault}");
}

#[test]
fn a_classifier_is_there_where_it_has_labels() {
    let files = file(ROUTES);
    let config = load(&both_keys().directory(files.path()));
    assert_eq!(config.classifier_target().unwrap().model, "gpt-6-luna");
    let settings = config.classifier.settings().unwrap();
    assert_eq!(settings.labels["work"], "orders and invoices");
    assert_eq!(settings.on_failure.as_deref(), Some("smalltalk"));
    assert_eq!((settings.timeout_ms, settings.temperature), (2000, None));

    let changed = load(
        &both_keys()
            .directory(files.path())
            .set("classifier.prompt", "Sort it.")
            .set("classifier.model", "gpt-5.6-luna")
            .set("classifier.timeout", "0.5")
            .set("classifier.temperature", "0")
            .set("classifier.max_output_tokens", "9"),
    );
    assert_eq!(changed.classifier_target().unwrap().model, "gpt-5.6-luna");
    let settings = changed.classifier.settings().unwrap();
    assert_eq!(settings.prompt, "Sort it.");
    assert_eq!(
        Duration::from_millis(settings.timeout_ms),
        Duration::from_millis(500)
    );
    assert_eq!(
        (settings.temperature, settings.max_output_tokens),
        (Some(0.0), 9)
    );

    let none = load(&both_keys());
    assert!(none.classifier_target().is_none() && none.classifier.settings().is_none());
}

#[test]
fn a_classifier_that_cannot_work_is_a_fault() {
    let labelled = |key: &str, value: &str| {
        let sources = Sources::none().set("classifier.labels.work", "orders");
        only_fault(&sources.set(key, value)).to_string()
    };
    let fault = labelled("classifier.on_failure", "play");
    assert!(
        fault.starts_with("classifier.on_failure = \"play\" (flag --set): "),
        "{fault}"
    );
    let fault = labelled("classifier.provider", "gemini");
    assert!(fault.contains("it has no key"), "{fault}");
    let fault = labelled("classifier.labels.WORK", "the same");
    assert!(fault.starts_with("classifier.labels"), "{fault}");

    let without = both_keys().set("classifier.provider", "openai");
    assert_eq!(
        only_fault(&without).to_string(),
        "classifier (flag --set): `labels` is missing: without labels nobody is asked"
    );
}

#[test]
fn all_faults_of_routes_are_told_with_all_others() {
    let sources = both_keys()
        .set("server.port", "eighty")
        .set("routes.0.name", "one")
        .set("routes.0.pattern", "(")
        .set("routes.1.name", "two")
        .set("routes.1.provider", "nobody")
        .set("llm.fallbacks", "gemini");
    let error = refused(&sources);
    assert_eq!(error.faults.len(), 4, "{error}");
}
