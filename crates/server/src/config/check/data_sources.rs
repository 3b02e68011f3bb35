//! `[data_sources.NAME]`: each has what it needs.

use super::{Check, names_under};

pub(super) fn check(check: &mut Check<'_>) {
    for name in names_under(&check.layers.values, "data_sources") {
        let table = format!("data_sources.{name}");
        for needed in ["url", "description"] {
            if !check.has(&format!("{table}.{needed}")) {
                check.table_fault(&table, format!("`{needed}` is missing"));
            }
        }
    }
}
