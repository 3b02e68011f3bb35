//! The deadline that each call to a database has.

use std::future::Future;
use std::time::Duration;

use crate::error::StoreError;

/// Waits for `work`, but no longer than `limit`; then it is dropped and the answer is
/// [`StoreError::Unavailable`].
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::Unavailable(
            format!("no answer within {} ms", limit.as_millis()).into(),
        )),
    }
}
