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
    let trusted = check.items("web.trusted");
    if let Some(wrong) = trusted.into_iter().find(|it| !is_host_and_port(it)) {
        check.key_fault(
            "web.trusted",
            format!("expected HOST:PORT, such as `127.0.0.1:9000`, not `{wrong}`"),
        );
    }
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    })
}
