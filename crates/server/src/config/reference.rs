//! The documentation of the keys, made from their table: `.env.example` and the reference in
//! `docs/configuration.md`. Tests hold the committed files to it.

use super::key::{Key, variable_of};
use super::keys::SECTIONS;

/// What `.env.example` holds: every key as a commented line with its default or an example.
#[must_use]
pub fn env_example() -> String {
    let mut text = String::from(
        "# Copy this file to .env and take the `# ` off the lines that you want.\n\
         # Every key has a default that works; an empty value counts as not set.\n\
         # docs/configuration.md tells more. Made from the table of keys: do not edit.\n",
    );
    for section in SECTIONS {
        text.push_str(&format!("\n# --- {} ---\n", section.title));
        for key in section.keys {
            text.push_str(&format!("\n# {}\n", key.help.replace('`', "")));
            text.push_str(&format!(
                "# {}={}\n",
                common_name(key),
                quoted(key.default_or_example())
            ));
        }
    }
    text
}

/// The reference: a table of keys for each section, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    for section in SECTIONS {
        text.push_str(&format!("### {}\n\n", section.title));
        text.push_str("| key | variables | takes | default | |\n| --- | --- | --- | --- | --- |\n");
        for key in section.keys {
            let own = variable_of(key.path);
            let names = std::iter::once(own.as_str()).chain(key.aliases.iter().copied());
            let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
            let default = key
                .default
                .map(|default| format!("`{default}`"))
                .unwrap_or_default();
            text.push_str(&format!(
                "| `{}` | {} | {} | {default} | {} |\n",
                key.path,
                names.join(", "),
                key.kind.expected(),
                key.help,
            ));
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// The name under which people know the key: the last alias is the one of the older tools.
fn common_name(key: &Key) -> String {
    let own = || variable_of(&key.example_path(example_names(key)));
    key.aliases
        .last()
        .map_or_else(own, |alias| (*alias).to_owned())
}

/// Names that somebody might choose.
fn example_names(key: &Key) -> &'static [&'static str] {
    match key.path.split('.').next() {
        Some("providers") => &["ollama"],
        Some("classifier") => &["work"],
        Some("tool") => &["calculator"],
        // One is a program or a URL, and not both.
        Some("mcp") if ["url", "secret_env", "secret_header"].contains(&key.last_segment()) => {
            &["example"]
        }
        Some("mcp") => &["time"],
        Some("tokens") => &["backend"],
        Some("sql_sources") => &["orders", "customer"],
        Some("data_sources") => &["rates", "base"],
        _ => &["tier"],
    }
}

/// The value as `.env` takes it: spaces and more need quotes.
fn quoted(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.,:/".contains(&byte);
    if value.bytes().all(is_plain) {
        value.to_owned()
    } else {
        format!("'{value}'")
    }
}
