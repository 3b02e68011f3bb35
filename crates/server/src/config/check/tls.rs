//! A certificate is of no use without its key, nor a key without its certificate.

use super::Check;

pub(super) fn check(check: &mut Check<'_>) {
    for (given, missing) in [
        ("server.tls_certificate", "server.tls_key"),
        ("server.tls_key", "server.tls_certificate"),
    ] {
        if check.has(given) && !check.has(missing) {
            check.key_fault(given, format!("set {missing} too"));
        }
    }
}
