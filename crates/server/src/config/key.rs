//! What is known about one key of the configuration, and how its names are written.

use super::kind::Kind;

/// Stands in a path for the name that the user chose.
const NAME: &str = "NAME";
/// Stands in a path for the place in a list of tables, counted from 0.
const INDEX: &str = "N";
/// A list has no more entries than so many digits can count.
const MAX_INDEX_DIGITS: usize = 3;

/// A group of keys with one subject: a `[section]` of the file.
#[derive(Debug)]
pub(crate) struct Section {
    /// What the keys are about, for the documentation.
    pub(crate) title: &'static str,
    /// The keys, in the order in which they are documented.
    pub(crate) keys: &'static [Key],
}

/// The definition of a key: everything that reading, checking and documenting it needs.
#[derive(Debug)]
pub(crate) struct Key {
    /// Where it stands, such as `server.port`; `NAME` in it stands for any name, and `N` for the
    /// place in a list of tables: `routes.0.name` is the name of the first `[[routes]]`.
    pub(crate) path: &'static str,
    /// Which values it takes.
    pub(crate) kind: Kind,
    /// One sentence for the documentation.
    pub(crate) help: &'static str,
    /// The value where nobody gives one, as it would be written in a variable.
    pub(crate) default: Option<&'static str>,
    /// Names of variables that people have already; the earlier one wins.
    pub(crate) aliases: &'static [&'static str],
    /// A value for the documentation, where there is no default.
    pub(crate) example: &'static str,
}

impl Key {
    pub(crate) const fn new(path: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            path,
            kind,
            help,
            default: None,
            aliases: &[],
            example: "",
        }
    }

    pub(crate) const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(crate) const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(crate) const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    /// What the documentation shows as a value.
    pub(crate) fn default_or_example(&self) -> &'static str {
        self.default.unwrap_or(self.example)
    }

    /// What the key is called in its table.
    pub(crate) fn last_segment(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// Whether the user chooses a part of the path.
    pub(crate) fn is_pattern(&self) -> bool {
        self.path.split('.').any(is_open)
    }

    /// The list of tables in which the key stands: `routes` for `routes.N.name`.
    pub(crate) fn list(&self) -> Option<&'static str> {
        let (list, rest) = self.path.split_once('.')?;
        rest.starts_with(&format!("{INDEX}.")).then_some(list)
    }

    /// Whether this is the definition of the key at the path.
    pub(crate) fn defines(&self, path: &str) -> bool {
        let mut given = path.split('.');
        self.path
            .split('.')
            .all(|known| given.next().is_some_and(|segment| fits(known, segment)))
            && given.next().is_none()
    }

    /// Whether the key stands somewhere under the table at the path.
    pub(crate) fn is_within(&self, table: &str) -> bool {
        let mut known = self.path.split('.');
        table
            .split('.')
            .all(|given| known.next().is_some_and(|segment| fits(segment, given)))
            && known.next().is_some()
    }

    /// The path with the name or the number that stands in `path`, if it has a place for one.
    pub(crate) fn named_as_in(&self, path: &str) -> String {
        let mut given = path.split('.');
        let named = self.path.split('.').map(|known| match given.next() {
            Some(name) if is_open(known) && fits(known, name) => name,
            _ => known,
        });
        named.collect::<Vec<_>>().join(".")
    }

    /// The name or the number that the user chose, in the path of one of these keys.
    pub(crate) fn chosen_in<'a>(&self, path: &'a str) -> Option<&'a str> {
        let mut segments = self.path.split('.').zip(path.split('.'));
        let (_, chosen) = segments.find(|(known, _)| is_open(known))?;
        Some(chosen)
    }

    /// The path of the first entry of a list, with these names where the user chooses some, in order.
    pub(crate) fn example_path(&self, names: &[&'static str]) -> String {
        let mut names = names.iter().copied();
        let shown = self.path.split('.').map(|known| match known {
            NAME => names.next().unwrap_or(NAME),
            INDEX => "0",
            known => known,
        });
        shown.collect::<Vec<_>>().join(".")
    }
}

/// Whether the user chooses this part of a path.
fn is_open(known: &str) -> bool {
    matches!(known, NAME | INDEX)
}

fn fits(known: &str, given: &str) -> bool {
    match known {
        NAME => !given.is_empty(),
        INDEX => is_index(given),
        known => known == given,
    }
}

/// Whether this is a place in a list, written in the one way in which it is written.
fn is_index(text: &str) -> bool {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number && text.len() <= MAX_INDEX_DIGITS && (text == "0" || !text.starts_with('0'))
}

/// What every variable of our own begins with.
const PREFIX: &str = "PATTER_";

/// The variable for the key at the path: `PATTER_SERVER__PORT` for `server.port`.
pub(crate) fn variable_of(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

/// The path that a variable means, if it is one of ours: the reverse of [`variable_of`].
pub(crate) fn path_of(variable: &str) -> Option<String> {
    variable
        .strip_prefix(PREFIX)
        .map(|rest| rest.to_lowercase().replace("__", "."))
}
