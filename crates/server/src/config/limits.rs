//! What one caller may take, as the configuration has it.

use std::num::NonZeroU32;

use ipnet::IpNet;
use serde::Deserialize;

/// How much of the server one user, or one address, may take; of what is counted by time, so many in a row
/// and so many over time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LimitsConfig {
    /// Connections from one address at the same time.
    pub connections_per_address: usize,
    /// WebSockets of one user, and waits for answers over HTTP, at the same time.
    pub connections_per_user: usize,
    /// New sessions of one user in an hour.
    pub new_sessions_per_user: NonZeroU32,
    /// New sessions of an address in an hour.
    pub new_sessions_per_address: NonZeroU32,
    /// Sessions that there are not, asked for from an address in an hour.
    pub unknown_sessions_per_address: NonZeroU32,
    /// Messages in a minute.
    pub messages_per_minute: NonZeroU32,
    /// Messages at once.
    pub messages_burst: NonZeroU32,
    /// Frames of any kind in a minute.
    pub frames_per_minute: NonZeroU32,
    /// Frames at once.
    pub frames_burst: NonZeroU32,
    /// Answers in flight of one user, or one address.
    pub turns_per_user: usize,
    /// Answers in flight of everybody.
    pub turns: usize,
    /// Networks from which who is no user is not limited.
    pub exempt: Vec<IpNet>,
}
