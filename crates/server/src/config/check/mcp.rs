//! `[mcp.NAME]`: each is a program or a URL, and not both.

use super::super::kind::is_provider_name;
use super::{Check, names_under};

/// The name of a tool has 64 bytes at the most, and this is the first part of it.
const MAX_NAME_BYTES: usize = 30;
/// What a server that is asked over HTTP does not heed, and one that is a program.
const OF_PROGRAMS: [&str; 2] = ["args", "env"];
const OF_URLS: [&str; 2] = ["secret_env", "secret_header"];

pub(super) fn check(check: &mut Check<'_>) {
    for name in names_under(&check.layers.values, "mcp") {
        let table = format!("mcp.{name}");
        if !is_provider_name(&name) || name.contains("__") || name.len() > MAX_NAME_BYTES {
            let problem = format!(
                "a name has at most {MAX_NAME_BYTES} small letters, digits, `_` and `-`, begins with a letter, \
                 and has no two `_` together"
            );
            check.table_fault(&table, problem);
        }
        let is_program = check.has(&format!("{table}.command"));
        let unheeded = match (is_program, check.has(&format!("{table}.url"))) {
            (true, false) => OF_URLS,
            (false, true) => OF_PROGRAMS,
            (true, true) | (false, false) => {
                check.table_fault(&table, "one of `command` and `url` is needed".to_owned());
                continue;
            }
        };
        let whose = if is_program { "program" } else { "URL" };
        for key in unheeded {
            if check.is_set(&format!("{table}.{key}")) {
                check.table_fault(&table, format!("a {whose} takes no `{key}`"));
            }
        }
    }
}
