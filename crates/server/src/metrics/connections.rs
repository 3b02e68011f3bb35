//! What is counted of the WebSockets.

use patter_metrics::{Error, Histogram, IntCounter, IntCounterVec, IntGauge, Registry};
use patter_protocol::{CloseCode, ErrorCode};

use super::table;
use crate::ws::End;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct ConnectionMeasures {
    pub(crate) open: IntGauge,
    pub(crate) opened: IntCounter,
    closed: IntCounterVec,
    refused: IntCounterVec,
    pub(crate) received: IntCounter,
    pub(crate) sent: IntCounter,
    frames_refused: IntCounterVec,
    pub(crate) delivery: Histogram,
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Closed {
    /// The client did not take the upgrade.
    NoUpgrade,
    /// As a connection ends.
    By(End),
}

/// All of which the server closes with.
const CODES: [CloseCode; 13] = [
    CloseCode::Normal,
    CloseCode::ProtocolError,
    CloseCode::Unsupported,
    CloseCode::InvalidPayload,
    CloseCode::PolicyViolation,
    CloseCode::TooBig,
    CloseCode::Internal,
    CloseCode::Restart,
    CloseCode::Unauthorized,
    CloseCode::Forbidden,
    CloseCode::Idle,
    CloseCode::Moved,
    CloseCode::TooSlow,
];

impl Default for ConnectionMeasures {
    fn default() -> Self {
        let none: [&str; 0] = [];
        let measures = Self {
            open: table::CONNECTIONS.levels().with_label_values(&none),
            opened: table::CONNECTIONS_OPENED.counts().with_label_values(&none),
            closed: table::CONNECTIONS_CLOSED.counts(),
            refused: table::CONNECTIONS_REFUSED.counts(),
            received: table::FRAMES_RECEIVED.counts().with_label_values(&none),
            sent: table::FRAMES_SENT.counts().with_label_values(&none),
            frames_refused: table::FRAMES_REFUSED.counts(),
            delivery: table::DELIVERY.measures().with_label_values(&none),
        };
        // A monitor misses the step from nothing to one.
        let by_us = CODES.map(|code| Closed::By(End::Close(code)));
        let others = [Closed::By(End::ClosedByClient), Closed::By(End::Gone)];
        for how in by_us.into_iter().chain(others).chain([Closed::NoUpgrade]) {
            measures.closed.with_label_values(&[word_of(how)]);
        }
        for how in ["told", "dropped"] {
            measures.refused.with_label_values(&[how]);
        }
        for code in [
            ErrorCode::InvalidJson,
            ErrorCode::UnknownType,
            ErrorCode::InvalidField,
            ErrorCode::Busy,
            ErrorCode::RateLimited,
        ] {
            measures.frames_refused.with_label_values(&[word(code)]);
        }
        measures
    }
}

impl ConnectionMeasures {
    pub(crate) fn closed(&self, how: Closed) {
        self.closed.with_label_values(&[word_of(how)]).inc();
    }

    /// There are too many connections. One that is not told so is dropped without a word.
    pub(crate) fn refused(&self, is_told: bool) {
        let how = if is_told { "told" } else { "dropped" };
        self.refused.with_label_values(&[how]).inc();
    }

    pub(crate) fn frame_refused(&self, code: ErrorCode) {
        self.frames_refused.with_label_values(&[word(code)]).inc();
    }

    pub(super) fn register(&self, registry: &Registry) -> Result<(), Error> {
        registry.register(Box::new(self.open.clone()))?;
        registry.register(Box::new(self.opened.clone()))?;
        registry.register(Box::new(self.closed.clone()))?;
        registry.register(Box::new(self.refused.clone()))?;
        registry.register(Box::new(self.received.clone()))?;
        registry.register(Box::new(self.sent.clone()))?;
        registry.register(Box::new(self.frames_refused.clone()))?;
        registry.register(Box::new(self.delivery.clone()))
    }
}

fn word_of(how: Closed) -> &'static str {
    match how {
        Closed::NoUpgrade => "no_upgrade",
        Closed::By(End::ClosedByClient) => "client",
        Closed::By(End::Gone) => "gone",
        Closed::By(End::Close(code)) => match code {
            CloseCode::Normal => "1000",
            CloseCode::ProtocolError => "1002",
            CloseCode::Unsupported => "1003",
            CloseCode::InvalidPayload => "1007",
            CloseCode::PolicyViolation => "1008",
            CloseCode::TooBig => "1009",
            CloseCode::Internal => "1011",
            CloseCode::Restart => "1012",
            CloseCode::Unauthorized => "4401",
            CloseCode::Forbidden => "4403",
            CloseCode::Idle => "4408",
            CloseCode::Moved => "4409",
            CloseCode::TooSlow => "4413",
        },
    }
}

/// Those that a frame is refused with.
fn word(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidJson => "invalid_json",
        ErrorCode::UnknownType => "unknown_type",
        ErrorCode::InvalidField => "invalid_field",
        ErrorCode::Busy => "busy",
        ErrorCode::RateLimited => "rate_limited",
        ErrorCode::LimitReached => "limit_reached",
        ErrorCode::NothingToCancel => "nothing_to_cancel",
        ErrorCode::NothingToRegenerate => "nothing_to_regenerate",
        ErrorCode::UnknownCall => "unknown_call",
        ErrorCode::StoreUnavailable => "store_unavailable",
        ErrorCode::ProviderError
        | ErrorCode::ProviderTimeout
        | ErrorCode::ProviderRateLimited
        | ErrorCode::ProviderAuth
        | ErrorCode::ContentFiltered
        | ErrorCode::Internal => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_code_is_named_by_its_number() {
        for code in CODES {
            assert_eq!(
                word_of(Closed::By(End::Close(code))),
                code.number().to_string()
            );
        }
    }
}
