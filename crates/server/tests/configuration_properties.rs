//! Nothing that stands in a variable, a flag or a file makes reading the configuration panic.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something unexpected comes"
)]

use patter_server::config::{Config, Sources};
use proptest::prelude::*;

/// Every key, and names that are almost keys.
fn paths() -> Vec<String> {
    let config = Config::load(&Sources::none()).unwrap();
    let mut paths: Vec<_> = config
        .settings()
        .iter()
        .map(|setting| setting.key.clone())
        .collect();
    for name in ["kind", "base_url", "model", "api_key_env", "api_key"] {
        paths.push(format!("providers.mine.{name}"));
    }
    for name in [
        "name",
        "pattern",
        "words",
        "metadata.tier",
        "class",
        "tools",
        "provider",
    ] {
        paths.push(format!("routes.0.{name}"));
        paths.push(format!("routes.7.{name}"));
    }
    for name in ["name", "provider", "input_price"] {
        paths.push(format!("models.0.{name}"));
    }
    paths.push("classifier.labels.work".to_owned());
    paths.extend(
        [
            "",
            ".",
            "..",
            "server",
            "server.",
            ".port",
            "providers..kind",
        ]
        .map(String::from),
    );
    paths
}

/// Text that is often nearly right, and text that is nothing.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        any::<f64>().prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-z]{1,8}:(//)?[ -~]{0,20}(@|/|\\?|#)?[ -~]{0,10}",
        "[a-z_]{0,8}(\\[[ -~]{0,10}\\])?(=[a-z]{0,5})?(,[a-z:=]{0,10})?",
    ]
}

proptest! {
    #[test]
    fn no_text_for_a_key_makes_it_panic(path in prop::sample::select(paths()), text in text()) {
        let variable = format!("PATTER_{}", path.to_uppercase().replace('.', "__"));
        let by_variable = Config::load(&Sources::none().environment([(variable, text.clone())]));
        let by_flag = Config::load(&Sources::none().set(path, text));
        for config in [by_variable, by_flag] {
            match config {
                Ok(config) => drop((config.describe(), config.primary())),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }

    #[test]
    fn no_variable_makes_it_panic(name in any::<String>(), text in any::<String>()) {
        let _ = Config::load(&Sources::none().environment([(format!("PATTER_{name}"), text)]));
    }

    #[test]
    fn a_secret_is_never_in_what_is_printed(
        key in prop::sample::select(vec!["gemini.api_key", "openai.api_key"]),
        before in "[ -~é\n]{0,8}",
        after in "[ -~é\n]{0,8}",
    ) {
        let text = format!("{before}hush-hush{after}");
        let shown = match Config::load(&Sources::none().set(key, text)) {
            Ok(config) => format!("{config:?}{}", config.describe()),
            Err(error) => format!("{error:?}{error}"),
        };
        prop_assert!(!shown.contains("hush-hush"), "{}", shown);
    }

    #[test]
    fn a_password_in_the_url_of_the_store_is_never_in_what_is_printed(
        before in "[ -~]{0,6}",
        after in "[ -~]{0,6}",
    ) {
        let url = format!("postgres://me:{before}hush-hush{after}@db.example.org/chat");
        let shown = match Config::load(&Sources::none().set("store.url", url)) {
            Ok(config) => format!("{config:?}{}", config.describe()),
            Err(error) => format!("{error:?}{error}"),
        };
        prop_assert!(!shown.contains("hush-hush"), "{}", shown);
    }

    #[test]
    fn no_file_makes_it_panic(toml in any::<String>(), dot_env in any::<String>()) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("patter.toml"), toml).unwrap();
        std::fs::write(directory.path().join(".env"), dot_env).unwrap();
        let _ = Config::load(&Sources::none().directory(directory.path()));
    }
}
