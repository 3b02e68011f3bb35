//! The committed documentation of the keys is what their table says. `UPDATE_GENERATED=1`
//! writes it anew.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something unexpected comes"
)]

use std::path::PathBuf;

use patter_server::config::{Config, Sources, reference};

const BEGIN: &str = "<!-- keys: made from the table of keys, do not edit -->\n";
const END: &str = "\n<!-- /keys -->";

fn in_project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// Compares the committed file with what it should be, or writes it.
fn hold(path: &str, expected: &str) {
    let path = in_project(path);
    if std::env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1") {
        std::fs::write(&path, expected).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == expected,
        "{} is not what the table of keys says: run the tests with UPDATE_GENERATED=1",
        path.display()
    );
}

#[test]
fn the_committed_env_example_is_what_the_keys_say() {
    hold(".env.example", &reference::env_example());
}

#[test]
fn the_committed_reference_is_what_the_keys_say() {
    let page = std::fs::read_to_string(in_project("docs/configuration.md")).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}\n{}\n{END}{after}", reference::markdown());
    hold("docs/configuration.md", &expected);
}

#[test]
fn every_line_of_the_env_example_can_be_used_as_it_is() {
    let mut variables: Vec<_> = reference::env_example()
        .lines()
        .filter_map(|line| line.strip_prefix("# ")?.split_once('='))
        .filter(|(name, _)| {
            // Entries of lists are counted, and make sense only together.
            name.trim_end_matches("256")
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        })
        .map(|(name, text)| format!("{name}={text}\n"))
        .collect();
    assert!(variables.len() > 30, "{variables:?}");
    variables.sort();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(".env"), variables.concat()).unwrap();
    let used = Config::load(&Sources::none().directory(directory.path())).unwrap();

    let unchanged = Config::load(&Sources::none()).unwrap();
    for setting in unchanged
        .settings()
        .iter()
        .filter(|setting| setting.value.is_some())
    {
        let same = used
            .settings()
            .iter()
            .find(|other| other.key == setting.key)
            .unwrap();
        assert_eq!(same.value, setting.value, "the default of {}", setting.key);
    }
}

#[test]
fn every_example_in_the_documentation_loads() {
    let pages = ["docs/models.md", "docs/tools.md", "docs/authentication.md"].map(|page| {
        let page = in_project(page);
        std::fs::read_to_string(page).unwrap()
    });
    let examples: Vec<_> = pages
        .iter()
        .flat_map(|page| page.split("```toml\n").skip(1))
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(examples.len() >= 10, "{examples:?}");
    let keys = ["GEMINI_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY"];
    for example in examples {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("patter.toml"), example).unwrap();
        let sources = Sources::none()
            .directory(directory.path())
            .environment(keys.map(|name| (name, "k")));
        if let Err(error) = Config::load(&sources) {
            panic!("{error}\n{example}");
        }
    }
}
