//! What the errors of PostgreSQL mean to a caller: the one place that knows SQLSTATEs
//! (PostgreSQL documentation, appendix A).

use sqlx::Error;

use crate::append::RowLocked;
use crate::error::StoreError;

/// The error for a caller. Only the message and the code are passed on: the details may quote
/// what a row holds.
pub(super) fn from_sqlx(error: Error) -> StoreError {
    match error {
        Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            from_sqlstate(&code, format!("{} (SQLSTATE {code})", error.message()))
        }
        Error::Tls(cause) => StoreError::Unusable(format!(
            "the server offers no trusted TLS connection: {cause}"
        )),
        Error::Configuration(_) | Error::InvalidArgument(_) => {
            StoreError::Unusable("the settings of the connection are not valid".to_owned())
        }
        Error::Encode(cause) => StoreError::Rejected(cause),
        Error::Decode(_)
        | Error::ColumnDecode { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::TypeNotFound { .. }
        | Error::RowNotFound => StoreError::Corrupt(error.to_string()),
        // Cut and refused connections, a pool that is empty or closed, a stray answer.
        other => StoreError::Unavailable(other.into()),
    }
}

fn from_sqlstate(code: &str, message: String) -> StoreError {
    match code {
        // Read-only transaction: the server has become a standby.
        "25006" => StoreError::Unavailable(message.into()),
        // Lock not available in time.
        "55P03" => StoreError::Unavailable(RowLocked(message).into()),
        // Data corrupted, index corrupted.
        "XX001" | "XX002" => StoreError::Corrupt(message),
        _ => match code.get(..2).unwrap_or_default() {
            // Connection; transaction rolled back (serialization, deadlock); resources (too many
            // connections, disk or memory full); operator intervention (shutdown, cancelled);
            // system error; internal error, under which poolers report theirs.
            "08" | "40" | "53" | "57" | "58" | "XX" => StoreError::Unavailable(message.into()),
            // Data exception; constraint violation; a limit of the program (a row too large).
            "22" | "23" | "54" => StoreError::Rejected(message.into()),
            // Wrong password, no such database or table, no permission, an unknown function.
            _ => StoreError::Unusable(message),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        for code in [
            "08006", "40001", "40P01", "53300", "57P01", "57014", "55P03", "25006",
        ] {
            assert!(from_sqlstate(code, String::new()).is_retryable(), "{code}");
        }
        for code in ["22P05", "22021", "23514", "54000"] {
            let error = from_sqlstate(code, String::new());
            assert!(matches!(error, StoreError::Rejected(_)), "{code}");
        }
        for code in ["28P01", "3D000", "42501", "42P01", "", "é"] {
            let error = from_sqlstate(code, String::new());
            assert!(matches!(error, StoreError::Unusable(_)), "{code}");
        }
    }
}
