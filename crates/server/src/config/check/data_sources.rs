//! `[data_sources.NAME]` and `[sql_sources.NAME]`: each has what it needs.

use super::{Check, names_under};

pub(super) fn check(check: &mut Check<'_>) {
    for name in names_under(&check.layers.values, "data_sources") {
        let table = format!("data_sources.{name}");
        for needed in ["url", "description"] {
            if !check.has(&format!("{table}.{needed}")) {
                check.table_fault(&table, format!("`{needed}` is missing"));
            }
        }
        let is_file = check.text(&format!("{table}.url"));
        if is_file.is_some_and(|url| url.starts_with("file:")) {
            refuse_what_files_do_not_heed(&table, check);
        }
    }
    for name in names_under(&check.layers.values, "sql_sources") {
        check_sql(&name, check);
    }
    let trusted = check.items("web.trusted");
    if let Some(wrong) = trusted.into_iter().find(|it| !is_host_and_port(it)) {
        check.key_fault(
            "web.trusted",
            format!("expected HOST:PORT, such as `127.0.0.1:9000`, not `{wrong}`"),
        );
    }
}

fn check_sql(name: &str, check: &mut Check<'_>) {
    let table = format!("sql_sources.{name}");
    for needed in ["query", "description", "database_env"] {
        if !check.has(&format!("{table}.{needed}")) {
            check.table_fault(&table, format!("`{needed}` is missing"));
        }
    }
    if check.is_given(&format!("data_sources.{name}")) {
        check.table_fault(&table, format!("there is a `data_sources.{name}` already"));
    }
}

/// What a key says that has no effect is not what somebody meant.
fn refuse_what_files_do_not_heed(table: &str, check: &mut Check<'_>) {
    for key in [
        "parameters",
        "method",
        "pointer",
        "cache",
        "secret_env",
        "secret_header",
    ] {
        let path = format!("{table}.{key}");
        let is_set = check.is_given(&path) || check.is_set(&path);
        if is_set {
            check.table_fault(table, format!("a file takes no `{key}`"));
        }
    }
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    })
}
