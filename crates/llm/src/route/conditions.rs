//! Routes as they are written down: plain data, to be read from a file or built in code.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::{Map, Value};

/// A route: what it is called, when it is taken, and where it leads.
///
/// Written flat, the conditions beside what they lead to; a field that neither has is an error,
/// and every error names its field.
///
/// ```
/// # use patter_llm::Route;
/// #[derive(serde::Deserialize)]
/// struct Target { model: String }
///
/// let route: Route<Target> = toml::from_str(r#"
///     name = "code"
///     words = ["rust", "stack trace"]
///     min_length = 20
///     model = "a-large-one"
/// "#)?;
/// assert_eq!(route.then.model, "a-large-one");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Route<T> {
    /// Names the route; no other has the same name.
    pub name: String,
    /// When it is taken.
    pub when: Conditions,
    /// Where it leads: for the caller alone.
    pub then: T,
}

/// When a route is taken: all that is named here must hold, and of a list any entry suffices.
///
/// An empty list, an empty table and a `None` name nothing. In a file a list of one may be written
/// without its brackets, and an empty list is an error: nothing could ever match it.
///
/// Text is searched within the first 8 KiB of the message, which end there for a `$` too; its
/// length is that of all of it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// Words and phrases in the message, without regard to case (Unicode's full case folding:
    /// `STRASSE` is `straße`) and to how much white space is between the words of a phrase.
    ///
    /// `art` is not in `start`. Scripts that are written without spaces between words (Han,
    /// Hiragana, Katakana, Thai, Lao, Khmer, Myanmar), and Hangul, where particles are written
    /// onto their word, have no such edges: there a word is found wherever its letters stand.
    #[serde(deserialize_with = "any_of")]
    pub words: Vec<String>,
    /// Regular expressions, as the [`regex`] crate has them, found anywhere in the message.
    ///
    /// Compiled, one may have 1 MiB. In a message that is not ASCII, `\b` makes a pattern slow (tens
    /// of nanoseconds for a byte) unless it has letters to search for; `words` are always fast.
    #[serde(deserialize_with = "any_of")]
    pub pattern: Vec<String>,
    /// Fewest characters (Unicode scalar values) of the message.
    pub min_length: Option<u64>,
    /// Most characters of the message.
    pub max_length: Option<u64>,
    /// Scripts by their names in Unicode, such as `Latin`, `Cyrillic`, `Han`, `Arabic`. One of
    /// them must be what most letters of the message are in.
    ///
    /// Text that mixes Han with at least a tenth of kana is Japanese, and counts as `Hiragana` or
    /// `Katakana`, whichever there is more of; so `Han` means Chinese, but for a short message in
    /// Japanese that has no kana.
    #[serde(deserialize_with = "any_of")]
    pub script: Vec<String>,
    /// Names of tools that the message wants: its metadata has the name as `tool` or in the list
    /// `tools`, or its text has it as a word.
    #[serde(deserialize_with = "any_of")]
    pub tool: Vec<String>,
    /// Metadata by key, each to be equal to the given scalar or to one of a list of scalars. The
    /// message's own metadata is looked at first, and the session's where it lacks the key.
    pub metadata: Map<String, Value>,
    /// Fewest turns before this message.
    pub min_turns: Option<u64>,
    /// Most turns before this message.
    pub max_turns: Option<u64>,
    /// Labels of the classifier, one of which it must give. See [`Classifier`](crate::Classifier).
    #[serde(deserialize_with = "any_of")]
    pub class: Vec<String>,
}

// By hand, since what serde's `flatten` gives neither names the field of an error nor finds one
// that is misspelt.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Route<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let name = fields
            .remove("name")
            .ok_or_else(|| D::Error::missing_field("name"))?;
        let Value::String(name) = name else {
            return Err(D::Error::custom("name: expected a text"));
        };
        let (when, others) = read(fields.clone()).map_err(D::Error::custom)?;
        fields.retain(|field, _| others.contains(field));
        let (then, unknown) = read(fields).map_err(D::Error::custom)?;
        match unknown.first() {
            None => Ok(Self { name, when, then }),
            Some(field) => Err(D::Error::custom(format!("{field}: no such field"))),
        }
    }
}

/// Reads a value, and tells which of the fields it does not know.
fn read<V: DeserializeOwned>(
    fields: Map<String, Value>,
) -> Result<(V, Vec<String>), serde_path_to_error::Error<serde_json::Error>> {
    let mut unknown = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| unknown.push(path.to_string());
    let fields = Value::Object(fields);
    let value =
        serde_path_to_error::deserialize(serde_ignored::Deserializer::new(fields, &mut note))?;
    Ok((value, unknown))
}

/// One entry, or a list of at least one.
fn any_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a list of texts")]
    enum AnyOf {
        One(String),
        Many(Vec<String>),
    }
    match AnyOf::deserialize(deserializer)? {
        AnyOf::One(entry) => Ok(vec![entry]),
        AnyOf::Many(entries) if entries.is_empty() => Err(D::Error::custom(
            "the list is empty, so that nothing could match it",
        )),
        AnyOf::Many(entries) => Ok(entries),
    }
}
