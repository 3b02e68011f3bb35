//! What the errors of SQLite mean to a caller: the one place that knows its result codes
//! (<https://www.sqlite.org/rescode.html>).

use sqlx::Error;
use sqlx::migrate::MigrateError;

use crate::error::StoreError;

/// The error for a caller.
pub(crate) fn from_sqlx(error: Error) -> StoreError {
    match error {
        Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            from_code(&code, format!("{} (SQLite code {code})", error.message()))
        }
        Error::Configuration(cause) => StoreError::Unusable(cause.to_string()),
        Error::Encode(cause) => StoreError::Rejected(cause),
        Error::Decode(_)
        | Error::ColumnDecode { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::TypeNotFound { .. }
        | Error::RowNotFound => StoreError::Corrupt(error.to_string()),
        // A pool that is empty or closed, a worker that has gone.
        other => StoreError::Unavailable(other.into()),
    }
}

/// The error of bringing the tables up to date.
pub(super) fn from_migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => from_sqlx(error),
        other => StoreError::Unusable(other.to_string()),
    }
}

/// Goes by the primary code, the low 8 bits of the extended one.
fn from_code(code: &str, message: String) -> StoreError {
    match code.parse::<i32>().map(|code| code & 0xff) {
        // Busy, locked, out of memory, interrupted, input or output, disk full, cannot open (when a
        // store is opened that was tried before: now no file handle is left), protocol of locks.
        Ok(5 | 6 | 7 | 9 | 10 | 13..=15) => StoreError::Unavailable(message.into()),
        // Too big, constraint, mismatch of types.
        Ok(18..=20) => StoreError::Rejected(message.into()),
        // The database image is malformed.
        Ok(11) => StoreError::Corrupt(message),
        // No permission, read-only, not a database, wrong SQL.
        _ => StoreError::Unusable(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        assert!(from_code("5", String::new()).is_retryable());
        assert!(
            from_code("261", String::new()).is_retryable(),
            "busy while recovering"
        );
        assert!(
            from_code("14", String::new()).is_retryable(),
            "no file handle is left"
        );
        assert!(matches!(
            from_code("2067", String::new()),
            StoreError::Rejected(_)
        ));
        assert!(matches!(
            from_code("8", String::new()),
            StoreError::Unusable(_)
        ));
        assert!(matches!(
            from_code("", String::new()),
            StoreError::Unusable(_)
        ));
    }
}
