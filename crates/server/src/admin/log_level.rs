//! `/admin/log-level`: what the process logs.

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::http::{Problem, Reply, body, json};
use crate::telemetry::{LogLevel, LogLevelError};

/// A filter has less.
const MAX_BODY_BYTES: usize = 16 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    filter: String,
}

/// `GET /admin/log-level`: the filter that is in force.
///
/// # Errors
///
/// 404 where the process has a logger of its own.
pub(super) fn show(log_level: Option<&LogLevel>) -> Reply {
    let filter = ours(log_level)?.filter().map_err(|error| refused(&error))?;
    Ok(json(StatusCode::OK, &Body { filter }))
}

/// `PUT /admin/log-level`: logs by another filter, until it is changed again or the process ends.
///
/// # Errors
///
/// 400 for a body that is no such thing, or a filter that is none, which says what is wrong; 404 as
/// for [`show`].
pub(super) async fn change(log_level: Option<&LogLevel>, request: Request<Incoming>) -> Reply {
    let log_level = ours(log_level)?;
    let body: Body = body::json(request, MAX_BODY_BYTES).await?;
    log_level
        .set(&body.filter)
        .map_err(|error| refused(&error))?;
    info!(filter = body.filter, "the log level was changed");
    show(Some(log_level))
}

fn ours(log_level: Option<&LogLevel>) -> Result<&LogLevel, Problem> {
    log_level.ok_or_else(|| Problem::not_found("the logger of this process is not patter's"))
}

fn refused(error: &LogLevelError) -> Problem {
    match error {
        LogLevelError::Invalid(_) => Problem::invalid_field("filter", error.to_string()),
        LogLevelError::Gone => Problem::not_found(error.to_string()),
    }
}
