//! What is in force, for people to read.

use super::value::Origin;

/// One key, its value as it may be shown, and where that came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key, such as `server.port`.
    pub key: String,
    /// Its value with secrets masked; `None` if it has none.
    pub value: Option<String>,
    /// Where the value came from.
    pub origin: Origin,
}

/// A longer value pushes its origin to the right, and no other.
const VALUE_COLUMNS: usize = 40;

/// The settings as a table: key, value, origin.
pub(super) fn describe(settings: &[Setting]) -> String {
    let key_columns = settings
        .iter()
        .map(|setting| setting.key.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for Setting { key, value, origin } in settings {
        let value = value.as_deref().unwrap_or("(not set)");
        text.push_str(&format!(
            "{key:key_columns$}  {value:VALUE_COLUMNS$}  {origin}\n"
        ));
    }
    text
}
