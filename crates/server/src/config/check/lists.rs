//! Lists of tables: each place in them is taken.

use std::collections::BTreeSet;

use super::super::layers::Layers;
use super::super::lookup;
use super::Check;

/// The places that are taken in a list of tables, in order.
pub(super) fn places(layers: &Layers, list: &str) -> BTreeSet<usize> {
    let prefix = format!("{list}.");
    let inner = layers
        .values
        .keys()
        .filter_map(|path| path.strip_prefix(&prefix));
    inner
        .filter_map(|rest| rest.split_once('.')?.0.parse().ok())
        .collect()
}

/// A variable or a flag can name any place, and none may be left out.
pub(super) fn check(check: &mut Check<'_>) {
    for list in lookup::lists() {
        let places = places(check.layers, list);
        let missing = (0..places.len()).find(|place| !places.contains(place));
        if let (Some(missing), Some(last)) = (missing, places.last()) {
            let problem = format!("there is no {list}.{missing}; places are counted from 0");
            check.table_fault(&format!("{list}.{last}"), problem);
        }
    }
}
