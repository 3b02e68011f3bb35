//! The admin port trusts whoever reaches it: nobody else does without a word from the user.

use super::{Check, is_loopback};

pub(super) fn check(check: &mut Check<'_>) {
    let host = check.text("admin.host").unwrap_or_default();
    let is_allowed = check.text("admin.allow_remote") == Some("true");
    if check.has("admin.port") && !is_allowed && !is_loopback(host) {
        let problem = "who reaches the admin port is trusted: set admin.allow_remote = true if only \
                       such people do, or leave admin.host at 127.0.0.1";
        check.key_fault("admin.host", problem.to_owned());
    }
}
