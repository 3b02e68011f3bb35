//! The command line: what it means, and that its values are checked with all others.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something unexpected comes"
)]

use clap::Parser;
use clap::error::ErrorKind;
use patter_server::cli::{Cli, Command};
use patter_server::config::{Config, Origin};

fn parse(arguments: &[&str]) -> Cli {
    Cli::try_parse_from(std::iter::once(&"patter").chain(arguments)).unwrap()
}

fn load(arguments: &[&str]) -> Result<Config, String> {
    let nowhere = tempfile::tempdir().unwrap();
    let sources = parse(arguments).settings.sources(nowhere.path(), []);
    Config::load(&sources).map_err(|error| error.to_string())
}

#[test]
fn serving_is_what_is_done_where_nothing_is_said() {
    assert_eq!(parse(&[]).command(), Command::Serve);
    for (word, command) in [
        ("serve", Command::Serve),
        ("check", Command::Check),
        ("config", Command::Config),
        ("migrate", Command::Migrate),
    ] {
        assert_eq!(parse(&[word]).command(), command);
    }
}

#[test]
fn flags_stand_before_or_behind_the_command() {
    for arguments in [["--port", "1", "serve"], ["serve", "--port", "1"]] {
        let config = load(&arguments).unwrap();
        assert_eq!(config.server.port, 1);
        let settings = config.settings();
        let port = settings
            .iter()
            .find(|setting| setting.key == "server.port")
            .unwrap();
        assert_eq!(port.origin, Origin::Flag("--port".into()));
    }
}

#[test]
fn any_key_may_be_set_and_the_flag_of_its_own_wins() {
    let config = load(&["--set", "llm.model=a=b", "--set", "server.host=::1"]).unwrap();
    assert_eq!(config.llm.model.as_deref(), Some("a=b"));
    assert_eq!(config.server.host, "::1");
    let config = load(&["--host", "127.0.0.2", "--set", "server.host=::1"]).unwrap();
    assert_eq!(config.server.host, "127.0.0.2");
}

#[test]
fn values_of_flags_are_checked_with_all_others() {
    let text = load(&["--port", "eighty", "--host", "a b", "--set", "x.y=1"]).unwrap_err();
    assert!(text.contains("has 3 faults"), "{text}");
    assert!(
        text.contains("server.port = \"eighty\" (flag --port): expected"),
        "{text}"
    );
}

#[test]
fn the_version_and_a_flag_without_a_value_are_answered_by_clap() {
    let kind = |arguments: [&str; 2]| Cli::try_parse_from(arguments).unwrap_err().kind();
    assert_eq!(kind(["patter", "--version"]), ErrorKind::DisplayVersion);
    assert_eq!(kind(["patter", "--nonsense"]), ErrorKind::UnknownArgument);
    assert_eq!(
        kind(["patter", "--set=llm.model"]),
        ErrorKind::ValueValidation
    );
}
