//! Finds keys in the table: by path, by part of a path, and by what was probably meant.

use std::collections::BTreeSet;

use super::key::Key;
use super::keys::SECTIONS;

/// How like a known key a wrong one must be for the known one to be suggested, from 0 (nothing
/// in common) to 1 (the same).
const ALIKE: f64 = 0.5;

/// Every definition.
pub(crate) fn all() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().flat_map(|section| section.keys)
}

/// The definition of the key at the path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    all().find(|key| key.defines(path))
}

/// Whether there are keys under the table at the path.
pub(crate) fn is_table(path: &str) -> bool {
    all().any(|key| key.is_within(path))
}

/// Whether there is a key or a table at the path.
pub(crate) fn is_known(path: &str) -> bool {
    find(path).is_some() || is_table(path)
}

/// The lists of tables, such as `routes` for `[[routes]]`.
pub(crate) fn lists() -> BTreeSet<&'static str> {
    all().filter_map(Key::list).collect()
}

/// The key that somebody may have meant who wrote a path that does not exist.
pub(crate) fn nearest(path: &str) -> Option<String> {
    let known = || all().map(|key| key.named_as_in(path));
    if !path.contains('.') {
        let mut ending = known().filter(|candidate| last_segment(candidate) == path);
        match (ending.next(), ending.next()) {
            (Some(only), None) => return Some(only),
            // A port without a table is the server's, and not that of something in it.
            (Some(first), Some(_)) if first.starts_with("server.") => return Some(first),
            _ => {}
        }
    }
    most_alike(path, known())
}

/// The table that somebody may have meant who wrote a table that does not exist.
pub(crate) fn nearest_table(path: &str) -> Option<String> {
    let tables = all().flat_map(|key| tables_above(&key.named_as_in(path)));
    most_alike(path, tables)
}

/// The first key under the table at the path.
pub(crate) fn first_within(table: &str) -> Option<String> {
    let first = all().find(|key| key.is_within(table))?;
    Some(first.named_as_in(table))
}

fn tables_above(path: &str) -> Vec<String> {
    let ends = path.match_indices('.').map(|(end, _)| end);
    ends.filter_map(|end| path.get(..end).map(str::to_owned))
        .collect()
}

fn most_alike(path: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    candidates
        .map(|candidate| (likeness(path, &candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// Both the whole and its last segment must be alike: under one long table everything is alike.
fn likeness(path: &str, candidate: &str) -> f64 {
    let whole = strsim::normalized_damerau_levenshtein(path, candidate);
    let last = strsim::normalized_damerau_levenshtein(last_segment(path), last_segment(candidate));
    whole.min(last)
}

fn last_segment(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}
